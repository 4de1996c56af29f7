import type { TagwardenError } from '../errors.ts'

/** Something that others may change, as it was last seen. */
export interface Following<T> {
  current(): T
  /** Calls the listener after each change. Returns how to end that. */
  subscribe(listener: (current: T) => void): () => void
  /** Looks now, instead of at the next turn. Never rejects. */
  refresh(): Promise<void>
  /** Tells of a problem, once until something else is told or a look succeeds. */
  report(error: unknown): void
  /** Resolves when nothing is looked at any more. */
  close(): Promise<void>
}

/**
 * Follows something by looking at it again and again, one look after another. What goes wrong
 * leaves what was there before.
 *
 * @param first what is there now
 * @param how.look what is there by now; the same value if nothing is new
 * @param how.interval ms between two looks
 */
export function follow<T>(
  first: T,
  how: {
    readonly look: (current: T) => Promise<T>
    readonly problemOf: (error: unknown) => TagwardenError
    readonly onProblem: ((problem: TagwardenError) => void) | undefined
    readonly interval: number
  },
): Following<T> {
  const listeners = new Set<(current: T) => void>()
  let current = first
  let lastProblem = ''
  let closed = false

  async function look(): Promise<void> {
    if (closed) return
    try {
      const next = await how.look(current)
      lastProblem = ''
      if (closed || next === current) return
      current = next
      for (const listener of listeners) listener(next)
    } catch (error) {
      report(error)
    }
  }

  function report(error: unknown): void {
    const problem = how.problemOf(error)
    const text = `${problem.position?.file}: ${problem.message}`
    if (closed || text === lastProblem) return
    lastProblem = text
    how.onProblem?.(problem)
  }

  let looking = Promise.resolve()
  const refresh = () => {
    looking = looking.then(look)
    return looking
  }
  const timer = setInterval(refresh, how.interval).unref()
  return {
    current: () => current,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    refresh,
    report,
    close: () => {
      closed = true
      clearInterval(timer)
      return looking
    },
  }
}
