import type { Dispatcher } from 'undici'
import type { Access } from './access.ts'
import { tooLarge } from './failure.ts'

/** One request to the API server, without retries. */
export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** with the query */
  readonly path: string
  readonly body?: string | undefined
  readonly contentType?: string | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export type OpenAnswer = Omit<Answer, 'body'> & { readonly body: Dispatcher.ResponseData['body'] }

/** Of an answer that is none of success, no more than this is read. */
const REFUSAL_BYTES = 64 * 1024
const USER_AGENT = 'tagwarden'

/** Sends a request once, or twice where renewed credentials may help, up to the answer's body. */
export async function open(
  server: string,
  access: Access,
  { method, path, body, contentType = 'application/json' }: Exchange,
  timing: {
    readonly signal: AbortSignal
    /** ms without a byte; 0 for a stream, whose reader looks after that */
    readonly silence: number
  },
): Promise<OpenAnswer> {
  const { origin, pathname } = new URL(server)
  for (let attempt = 0; ; attempt += 1) {
    const { dispatcher, streams, headers, refused } = await access.enter()
    const answer = await (timing.silence === 0 ? streams : dispatcher).request({
      origin,
      path: pathname === '/' ? path : pathname + path,
      method,
      headers: {
        accept: 'application/json',
        'user-agent': USER_AGENT,
        ...(body !== undefined && { 'content-type': contentType }),
        ...headers,
      },
      body: body ?? null,
      headersTimeout: timing.silence,
      bodyTimeout: timing.silence,
      signal: timing.signal,
    })
    const { statusCode: status } = answer
    if (status !== 401 || attempt > 0) {
      return { status, headers: answer.headers, body: answer.body }
    }
    await answer.body.dump()
    await refused()
  }
}

/** The whole body; leaving the loop early closes the connection. */
export async function readBody(what: string, answer: OpenAnswer, limit: number): Promise<Answer> {
  const good = answer.status < 300
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer.body) {
    size += chunk.length
    if (good && size > limit) throw tooLarge(what, answer.status, limit)
    chunks.push(chunk)
    if (!good && size > REFUSAL_BYTES) break
  }
  return { ...answer, body: Buffer.concat(chunks) }
}
