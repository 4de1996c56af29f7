import { ClusterError } from '../cluster/index.ts'
import { backoff, pause, type Timer } from '../scheduling/index.ts'

const FIRST_DELAY = 1_000
const LONGEST_DELAY = 60_000
/** An answer that is a failure of the server itself, such as of a webhook behind it. */
const MOST_FAILURES = 5

/** Waits, and tries again what may pass by itself. */
export interface Patience {
  /** Resolves after so many ms, or at once when the signal aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>
  /**
   * Does it until the API server answers, with longer and longer pauses. What the server itself
   * fails at is tried five times.
   *
   * @throws what else the API server answers, and the signal's reason
   */
  insist<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T>
}

export function createPatience(timer: Timer, random: () => number): Patience {
  const rest: Patience['pause'] = (ms, signal) => pause(ms, signal, timer)
  return {
    pause: rest,
    async insist(action, signal) {
      for (let attempt = 0, failures = 0; ; attempt += 1) {
        signal.throwIfAborted()
        try {
          return await action()
        } catch (error) {
          if (!isPassing(error)) throw error
          failures += isUnreachable(error) ? 0 : 1
          if (failures >= MOST_FAILURES) throw error
        }
        await rest(delayOf(attempt + 1, random), signal)
      }
    },
  }
}

/** Whether the same request may succeed later, without anybody doing anything. */
export function isPassing(error: unknown): boolean {
  return error instanceof ClusterError && (isUnreachable(error) || error.answer >= 500)
}

/** Whether nothing answered, or what answered is too busy or not there yet. */
function isUnreachable(error: unknown): boolean {
  return error instanceof ClusterError && [0, 429, 503, 504].includes(error.answer)
}

function delayOf(attempt: number, random: () => number): number {
  return backoff(attempt, FIRST_DELAY, LONGEST_DELAY) * (0.9 + 0.2 * random())
}
