import type { Counter } from 'prom-client'
import type { ReviewSummary } from '../admission/index.ts'
import { countEach } from './series.ts'

/** Past so many series of policies, the policies of new ones are not told apart. */
const MOST_SERIES = 1_000
const OTHERS = '(others)'
/** What the configured defaults find, where no policy covers an image. */
const NO_POLICY = '(defaults)'
/** How reviews of workloads end. */
const VERDICTS = {
  mutate: ['allowed', 'changed', 'skipped'],
  validate: ['allowed', 'denied', 'skipped'],
} as const

/** The counters that reviews feed. */
export interface ReviewCounters {
  readonly reviews: Counter
  readonly findings: Counter
  readonly policyFindings: Counter
}

/**
 * Counts reviews by verdict, and what was found in them by reason and by policy. Policies are
 * counted for the final object only, so that no image counts twice.
 */
export function countReviews(counters: ReviewCounters): (review: ReviewSummary) => void {
  // From 0 on, so that the first denials are seen as an increase.
  for (const [hook, verdicts] of Object.entries(VERDICTS)) {
    for (const verdict of verdicts) counters.reviews.inc({ hook, verdict }, 0)
  }
  const review = countEach(counters.reviews)
  const finding = countEach(counters.findings)
  const policyFinding = countEach(counters.policyFindings, MOST_SERIES, ([, ...rest]) => [
    OTHERS,
    ...rest,
  ])
  return ({ hook, verdict, decisions }) => {
    review(hook, verdict)
    for (const { findings } of decisions) {
      for (const { reason, enforcement, policy } of findings) {
        finding(hook, reason, enforcement)
        if (hook === 'validate') policyFinding(policy?.title ?? NO_POLICY, reason, enforcement)
      }
    }
  }
}
