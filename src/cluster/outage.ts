import type { ClusterClock } from './clock.ts'

/**
 * An API server that is away, as all who ask it find out together: who waits for it goes on when
 * it has answered somebody else.
 */
export interface Outage {
  /** It could not be reached. */
  noteAway(): void
  /** It answered something good. */
  noteAnswer(): void
  /** Sleeps so many ms, or until it answers after an outage. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** Not all at once, in ms. */
const SPREAD = 500

export function createOutage(clock: ClusterClock): Outage {
  const sleepers = new Set<() => void>()
  let isAway = false
  return {
    noteAway() {
      isAway = true
    },
    noteAnswer() {
      if (!isAway) return
      isAway = false
      for (const wake of sleepers) wake()
    },
    async sleep(ms, signal) {
      const waking = new AbortController()
      const wake = () => waking.abort()
      signal.addEventListener('abort', wake, { once: true })
      if (signal.aborted) wake()
      sleepers.add(wake)
      const slept = await clock.sleep(ms, waking.signal).then(
        () => true,
        () => false,
      )
      sleepers.delete(wake)
      signal.removeEventListener('abort', wake)
      if (slept || signal.aborted) return
      await clock.sleep(Math.min(ms, Math.random() * SPREAD), signal).catch(() => {})
    },
  }
}
