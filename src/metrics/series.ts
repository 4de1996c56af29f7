import type { Counter } from 'prom-client'

/** Joins the label values of a series; none of them has it. */
const BETWEEN = '\0'

/**
 * Counts by label values. Their look-up, which costs more than counting, is done once.
 *
 * @param most series at most; `overflow` gives the labels of those that come later
 */
export function countEach(
  counter: Counter,
  most = Number.POSITIVE_INFINITY,
  overflow: (labels: string[]) => string[] = (labels) => labels,
): (...labels: string[]) => void {
  const known = new Map<string, { inc(): void }>()
  return (...labels) => {
    const key = labels.join(BETWEEN)
    let child = known.get(key)
    if (!child) {
      if (known.size >= most) {
        counter.labels(...overflow(labels)).inc()
        return
      }
      child = counter.labels(...labels)
      known.set(key, child)
    }
    child.inc()
  }
}
