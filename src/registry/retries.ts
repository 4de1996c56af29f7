import { TagwardenError } from '../errors.ts'
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
      const usual = FIRST_PAUSE_MS * 2 ** retries * (0.5 + Math.random())
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

/** Seconds or an HTTP date, as ms from now; undefined when there is none that can be read. */
export function retryAfter(answer: HttpAnswer, now: number): number | undefined {
  const value = answer.headers['retry-after']
  if (typeof value !== 'string') return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  // RFC 9110 section 5.6.7: an HTTP date always ends so
  const date = value.endsWith(' GMT') ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

function pauseAfter(answer: HttpAnswer, now: number, usual: number): number | undefined {
  if (answer.status !== 429 && answer.status < 500) return undefined
  const asked = retryAfter(answer, now)
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
