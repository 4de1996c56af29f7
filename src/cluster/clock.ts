import { setTimeout as delay } from 'node:timers/promises'
import { backoff } from '../scheduling/index.ts'

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

/** backoff(), of which the half is chance: not all ask at the same moment. */
export function chancePause(failures: number, first: number, longest: number): number {
  return backoff(failures, first, longest) * (0.5 + Math.random() / 2)
}
