import { setTimeout as delay } from 'node:timers/promises'

/** Time as the cluster room sees it. */
export interface ClusterClock {
  /** ms since the epoch; may be set */
  now(): number
  /** ms since some moment; never goes back */
  elapsed(): number
  /** Rejects when the signal aborts. Does not keep the process alive. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>
}

export const systemClock: ClusterClock = {
  now: Date.now,
  elapsed: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { ref: false, ...(signal && { signal }) }),
}

/** The n-th pause (from 0) of a row that doubles up to a limit; the half of it is chance. */
export function backoff(attempt: number, first: number, longest: number): number {
  const pause = Math.min(longest, first * 2 ** Math.min(attempt, 30))
  return pause * (0.5 + Math.random() / 2)
}
