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
  const registers = [registry]
  const count = countEach(
    new counter({
      name: 'tagwarden_reviews_total',
      help: 'Reviews by webhook and verdict',
      labelNames: ['hook', 'verdict'],
      registers,
    }),
  )
  const find = countEach(
    new counter({
      name: 'tagwarden_findings_total',
      help: 'What was found wrong with images, by webhook, reason and enforcement',
      labelNames: ['hook', 'reason', 'enforcement'],
      registers,
    }),
  )
  return ({ hook, verdict, decisions }) => {
    count(hook, verdict)
    for (const decision of decisions) {
      for (const { reason, enforcement } of decision.findings) {
        find(hook, reason, enforcement)
      }
    }
  }
}

/** Looks a counter's labels up only once: that costs more than counting. */
function countEach(counter: Counter): (...labels: string[]) => void {
  const known = new Map<string, { inc(): void }>()
  return (...labels) => {
    const key = labels.join()
    let child = known.get(key)
    if (!child) {
      child = counter.labels(...labels)
      known.set(key, child)
    }
    child.inc()
  }
}
