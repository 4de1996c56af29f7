import type { Work } from './work.ts'

/** So many items are sorted at once. */
const RUN = 128
/** So many comparisons are made while runs are merged before others may go first. */
const COMPARISONS = 256

/**
 * The items in order, as Array.prototype.sort leaves them: equal ones as they stood. The list itself
 * is used up.
 */
export function* sorted<T>(items: T[], compare: (a: T, b: T) => number): Work<T[]> {
  if (items.length <= RUN) return items.sort(compare)
  let from: T[] = []
  for (let start = 0; start < items.length; start += RUN) {
    for (const item of items.slice(start, start + RUN).sort(compare)) from.push(item)
    yield
  }
  let to = items
  let width = RUN
  let left = COMPARISONS
  while (width < from.length) {
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length)
      const end = Math.min(start + 2 * width, from.length)
      let a = start
      let b = middle
      for (let at = start; at < end; at += 1) {
        const takesFirst = b >= end || (a < middle && compare(from[a] as T, from[b] as T) <= 0)
        to[at] = from[takesFirst ? a++ : b++] as T
        left -= 1
        if (left === 0) {
          left = COMPARISONS
          yield
        }
      }
    }
    const merged = to
    to = from
    from = merged
    width *= 2
  }
  return from
}
