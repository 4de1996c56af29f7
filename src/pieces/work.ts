/**
 * Long work that can be laid down: it yields wherever others may go first, a millisecond or a few
 * apart, and returns its result. Who runs it decides whether anybody does: finish() here, or
 * inSlices() of the room `scheduling`.
 */
export type Work<T> = Generator<void, T, void>

/** The result, made at once. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

/**
 * Calls back for each item, and yields after so many.
 *
 * @param count how many items take about a millisecond at most
 */
export function* eachOf<T>(
  items: Iterable<T>,
  count: number,
  each: (item: T, index: number) => void,
): Work<void> {
  let index = 0
  for (const item of items) {
    each(item, index)
    index += 1
    if (index % count === 0) yield
  }
}

/** Goes on with work only while something holds; gives it up, undefined, as soon as it does not. */
export function* workWhile<T>(holds: () => boolean, work: Work<T>): Work<T | undefined> {
  while (holds()) {
    const step = work.next()
    if (step.done) return step.value
    yield
  }
  return undefined
}
