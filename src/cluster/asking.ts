import { retryAfter, withinTime } from '../scheduling/index.ts'
import type { Access } from './access.ts'
import { type ClusterClock, chancePause } from './clock.ts'
import { ClusterError } from './cluster_error.ts'
import {
  abandoned,
  late,
  refusal,
  type Status,
  statusOf,
  strangeAnswer,
  unreachable,
} from './failure.ts'
import type { Outage } from './outage.ts'
import { type Answer, type Exchange, open, readBody } from './transport.ts'

/** What the API server said: an object, or the Status that refuses. */
export type Said =
  | { readonly good: true; readonly value: unknown; readonly bytes: number }
  | { readonly good: false; readonly code: number; readonly status: Status | undefined }

export interface Question extends Exchange {
  /** ends `could not …`, such as `list secrets in shop` */
  readonly what: string
  /** bytes of a good answer */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Asks the API server, again where that is safe, and reads the answer as JSON. */
export interface Asking {
  /** Rejects when nothing was said that makes sense. */
  hear(question: Question): Promise<Said>
  /** Rejects also when the API server refuses. */
  ask<T>(question: Question): Promise<T>
  /** The same, with undefined for what is not there (404). */
  find<T>(question: Question): Promise<T | undefined>
}

const RETRIES = 4
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 3_000
const LARGEST_ANSWER = 8 * 1024 * 1024

/**
 * Reads are asked again after 429, 5xx and broken connections; writes after 429 only, which
 * says that nothing was done. All of it within the time limit, with the pause that Retry-After
 * asks for.
 */
export function createAsking(options: {
  readonly server: string
  /** in the way to it */
  readonly proxy?: string | undefined
  readonly access: Access
  readonly clock: ClusterClock
  readonly outage: Outage
  /** ms for a question with all its retries */
  readonly timeLimit: number
}): Asking {
  const { server, proxy, access, clock, outage, timeLimit } = options
  const shown = proxy ? `${server} through the proxy ${URL.parse(proxy)?.host}` : server

  async function once(question: Question, signal: AbortSignal): Promise<Answer> {
    try {
      const answer = await open(server, access, question, { signal, silence: timeLimit })
      if (answer.status < 400) outage.noteAnswer()
      return await readBody(question.what, answer, question.limit ?? LARGEST_ANSWER)
    } catch (error) {
      if (!(error instanceof ClusterError) && !signal.aborted) outage.noteAway()
      throw error
    }
  }

  async function persist(question: Question, signal: AbortSignal, end: number): Promise<Answer> {
    const reading = question.method === 'GET'
    for (let attempt = 0; ; attempt += 1) {
      let pause = chancePause(attempt + 1, FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
      try {
        const answer = await once(question, signal)
        const again = answer.status === 429 || (reading && answer.status >= 500)
        pause = Math.max(pause, retryAfter(answer.headers['retry-after'], clock.now()) ?? 0)
        if (!again || attempt === RETRIES || clock.elapsed() + pause >= end) return answer
      } catch (error) {
        const lasting = !reading || error instanceof ClusterError || signal.aborted
        if (lasting || attempt === RETRIES || clock.elapsed() + pause >= end) throw error
      }
      await clock.sleep(pause, signal)
    }
  }

  function hear(question: Question): Promise<Said> {
    const { what, signal } = question
    return withinTime(timeLimit, signal, async (both) => {
      try {
        const answer = await persist(question, both, clock.elapsed() + timeLimit)
        return understand(what, answer)
      } catch (error) {
        if (error instanceof ClusterError) throw error
        if (signal?.aborted) throw abandoned(what, error)
        if (both.aborted) throw late(what, shown, timeLimit)
        throw unreachable(what, shown, error)
      }
    })
  }

  return {
    hear,
    async ask<T>(question: Question) {
      const said = await hear(question)
      if (!said.good) throw refusal(question.what, said.code, said.status)
      return said.value as T
    },
    async find<T>(question: Question) {
      const said = await hear(question)
      if (said.good) return said.value as T
      if (said.code === 404) return undefined
      throw refusal(question.what, said.code, said.status)
    },
  }
}

function understand(what: string, answer: Answer): Said {
  let value: unknown
  try {
    value = JSON.parse(answer.body.toString())
  } catch {
    // no cause: the message of JSON.parse quotes its input
  }
  const good = answer.status >= 200 && answer.status < 300
  if (good) {
    if (typeof value !== 'object' || value === null) throw strangeAnswer(what, answer)
    return { good, value, bytes: answer.body.length }
  }
  const status = statusOf(value)
  // What the API server says of a group that it does not serve is no Status.
  const unserved = answer.status === 404 && /^404 page not found\s*$/.test(answer.body.toString())
  if (status === undefined && answer.status === 404 && !unserved) throw strangeAnswer(what, answer)
  return { good, code: answer.status, status }
}
