import type { Counter, Registry } from 'prom-client'
import type { ReviewSummary } from '../admission/index.ts'

/**
 * Counts reviews by verdict, and what was found in them by reason. The label values are closed
 * lists, so that their number stays small.
 *
 * @param counter the class, since prom-client is loaded lazily
 */
export function createReviewMetrics(
  counter: typeof Counter,
  registry: Registry,
): (review: ReviewSummary) => void {
  const reviews = new counter({
    name: 'tagwarden_reviews_total',
    help: 'Reviews by webhook and verdict',
    labelNames: ['hook', 'verdict'],
    registers: [registry],
  })
  const findings = new counter({
    name: 'tagwarden_findings_total',
    help: 'What was found wrong with images, by webhook, reason and enforcement',
    labelNames: ['hook', 'reason', 'enforcement'],
    registers: [registry],
  })
  return ({ hook, verdict, decisions }) => {
    reviews.inc({ hook, verdict })
    for (const decision of decisions) {
      for (const { reason, enforcement } of decision.findings) {
        findings.inc({ hook, reason, enforcement })
      }
    }
  }
}
