import { TagwardenError } from '../errors.ts'
import { backoff, retryAfter } from '../scheduling/index.ts'
import { isReset } from './connection_failure.ts'
import type { HttpAnswer, HttpRequest, Send } from './http_message.ts'
import type { RegistryClock } from './types.ts'

const RETRIES = 2
const FIRST_PAUSE_MS = 100
/** A registry that asks for more patience than this is told about instead. */
const LONGEST_PAUSE_MS = 2_000

/**
 * Asks again, at most twice, after a broken connection or a 5xx, and after a 429 that says when.
 * The pause doubles and is jittered, or is the `Retry-After` of at most 2 s.
 */
export function withRetries(send: Send, clock: RegistryClock): Send {
  return async (request) => {
    for (let retries = 0; ; retries += 1) {
      const last = retries === RETRIES
      const usual = backoff(retries + 1, FIRST_PAUSE_MS, LONGEST_PAUSE_MS) * (0.5 + Math.random())
      let pause: number | undefined
      let failure: unknown
      try {
        const answer = await send(request)
        pause = pauseAfter(answer, clock.now(), usual)
        if (last || pause === undefined) return answer
      } catch (error) {
        if (last || !isReset(error)) throw error
        pause = usual
        failure = error
      }
      await clock.sleep(pause, request.signal).catch(() => {
        throw gaveUp(request, failure)
      })
    }
  }
}

function pauseAfter(answer: HttpAnswer, now: number, usual: number): number | undefined {
  if (answer.status !== 429 && answer.status < 500) return undefined
  const asked = retryAfter(answer.headers['retry-after'], now)
  if (asked === undefined) return answer.status === 429 ? undefined : usual
  return asked <= LONGEST_PAUSE_MS ? asked : undefined
}

function gaveUp(request: HttpRequest, cause: unknown): TagwardenError {
  return new TagwardenError(
    'ERR_REGISTRY_TIMEOUT',
    `${request.url.host} did not answer well before the caller stopped waiting`,
    { cause },
  )
}
