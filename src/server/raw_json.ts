import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { parseDuration } from '../policies/index.ts'
import type { App } from './app.ts'
import { type BodyRefusal, createBodyQueue, type ReadBody, readBody } from './body.ts'
import { BUSY, TOO_BUSY, tooLarge } from './failure.ts'
import type { ServerOptions } from './types.ts'

/** Seconds that the API server waits where it does not say. */
const USUAL_TIMEOUT = 10

/** A body as it came, or the answer to one that was thrown away. */
export type RawBody =
  | Extract<ReadBody, { readonly body: Buffer }>
  | { readonly denial: string; readonly release?: undefined }

/**
 * Gives the handlers the body as it came: they parse it themselves, once. A review that is too large
 * becomes a denial: were it a failure, the API server would let the object in that made it so.
 */
export function acceptRawJson(app: App, bodyLimit: number, log: ServerOptions['log']): void {
  const queue = createBodyQueue()
  app.removeAllContentTypeParsers()
  const read = async (request: FastifyRequest, payload: Readable): Promise<RawBody> => {
    const said = Number(request.headers['content-length'])
    const length = Number.isNaN(said) ? undefined : said
    const { timeout } = request.query as Record<string, unknown>
    const ms = (readTimeout(timeout) ?? USUAL_TIMEOUT) * 500
    const result = await readBody(payload, { length, limit: bodyLimit, queue, ms })
    if ('body' in result) return result
    const { refused, uid } = result
    const path = request.url.split('?', 1)[0]
    log.warn({ path, bytes: length }, `a review is refused: it is ${refused}`)
    if (uid === undefined) throw failureOf(refused)
    return { denial: denial(uid, refused, bodyLimit) }
  }
  app.addContentTypeParser('application/json', read)
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: Readable) => {
    const body = await read(request, payload)
    if (request.headers['content-type'] === undefined) return body
    body.release?.()
    throw Object.assign(new Error(), { code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' })
  })
}

/** The API server writes `?timeout=10s`. What cannot be read counts as not given. */
export function readTimeout(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  return ms ? ms / 1_000 : undefined
}

function failureOf(refused: BodyRefusal): Error {
  const code = refused === 'too large' ? 'FST_ERR_CTP_BODY_TOO_LARGE' : BUSY
  return Object.assign(new Error(), { code })
}

/** A denial that needs nothing of the review but its uid. */
function denial(uid: string, refused: BodyRefusal, bodyLimit: number): string {
  const why =
    refused === 'too large'
      ? { code: 413, reason: 'RequestEntityTooLarge', message: tooLarge(bodyLimit) }
      : { code: 503, reason: 'ServiceUnavailable', message: TOO_BUSY }
  const response = { uid, allowed: false, status: { status: 'Failure', ...why } }
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response })
}
