import type { Patience } from './patience.ts'

/** Bounds what all policies together ask of the API server. */
export interface Turns {
  /** Runs a task in its turn; undefined: the signal aborted before that. */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T | undefined>
}

/**
 * @param atOnce so many tasks run at once
 * @param apart and they begin at least so many ms apart
 */
export function createTurns(
  patience: Patience,
  clock: () => number,
  { atOnce = 4, apart = 100 }: { readonly atOnce?: number; readonly apart?: number } = {},
): Turns {
  const waiting: (() => void)[] = []
  let running = 0
  let next = Number.NEGATIVE_INFINITY
  return {
    async run(task, signal) {
      if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
      else running += 1
      try {
        const now = clock()
        // One that lies further ahead is of a clock that was set back since.
        const turn = Math.max(now, Math.min(next, now + atOnce * apart))
        next = turn + apart
        await patience.pause(turn - now, signal)
        return signal.aborted ? undefined : await task()
      } finally {
        const following = waiting.shift()
        if (following) following()
        else running -= 1
      }
    },
  }
}
