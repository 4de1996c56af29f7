import { pause, type Timer } from './timer.ts'

/** Something that has happened, for one loop that looks again when it has. */
export interface AutoResetEvent {
  set(): void
  /** What has happened until now has been looked at. */
  reset(): void
  /**
   * Waits until it is set, also when that was before, and resets it: so many ms at most, and not
   * beyond the signal.
   *
   * @returns whether it was set
   */
  wait(ms: number, signal: AbortSignal, timer?: Timer): Promise<boolean>
}

/**
 * @example
 *   const change = createAutoResetEvent()
 *   watch(change.set)
 *   while (!signal.aborted) {
 *     await look()
 *     await change.wait(60_000, signal)
 *   }
 */
export function createAutoResetEvent(): AutoResetEvent {
  let isSet = false
  let wake = () => {}
  return {
    set() {
      isSet = true
      wake()
    },
    reset() {
      isSet = false
    },
    async wait(ms, signal, timer) {
      if (!isSet && !signal.aborted) {
        const waiting = new AbortController()
        wake = () => waiting.abort()
        signal.addEventListener('abort', wake, { once: true })
        await pause(ms, waiting.signal, timer)
        signal.removeEventListener('abort', wake)
      }
      const wasSet = isSet
      isSet = false
      return wasSet
    },
  }
}
