import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { describeError, TagwardenError } from '../errors.ts'
import type { ServerOptions } from './types.ts'

/** The code of a body for which there was no room in time. */
export const BUSY = 'TOO_BUSY'
export const TOO_BUSY =
  'too many large objects are looked at just now. Try again in a moment, with fewer at a time'

export function tooLarge(bodyLimit: number): string {
  return `the review is larger than ${bodyLimit} bytes. Raise listen.bodyLimit if such objects are wanted`
}

export const JSON_TYPE = 'application/json; charset=utf-8'

/**
 * A body that Kubernetes' clients understand: the API server puts the message of a `Status` into
 * what kubectl shows, where it would else say only that the webhook failed.
 */
export function statusBody(code: number, reason: string, message: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Status',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code,
  })
}

/** Answers what a handler or fastify itself threw. The client sees neither stack nor cause. */
export function answerFailure(log: ServerOptions['log'], bodyLimit: number) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const known = asKnown(error, bodyLimit)
    if (!known) {
      log.error({ err: error, path: request.url }, 'a request failed; this is a bug in Tagwarden')
    }
    const [status, reason, message] = known ?? [
      500,
      'InternalError',
      'Tagwarden failed while it answered; its log says why',
    ]
    sendStatus(reply, status, reason, message)
  }
}

type Known = [status: number, reason: string, message: string]

function asKnown(error: FastifyError, bodyLimit: number): Known | undefined {
  if (error instanceof TagwardenError) {
    return [error.status, error.code, describeError(error)]
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return [413, 'ERR_BODY_TOO_LARGE', tooLarge(bodyLimit)]
    case BUSY:
      return [503, 'ServiceUnavailable', TOO_BUSY]
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return [415, 'UnsupportedMediaType', 'send the AdmissionReview as application/json']
  }
  // The client's own doing: a wrong Content-Length, a connection that it cut.
  return error.statusCode !== undefined && error.statusCode < 500
    ? [error.statusCode, 'BadRequest', error.message]
    : undefined
}

/** Answers a request for something that is not here; `reviews` are the names of the paths that are. */
export function answerNotFound(reviews: readonly string[]) {
  const there = [...reviews.map((name) => `POST /${name}`), 'GET /healthz, GET /readyz']
  return ({ method, url }: FastifyRequest, reply: FastifyReply): void => {
    const path = url.split('?', 1)[0]?.slice(0, 100)
    const message = `there is no ${method} ${path} here. There are ${there.join(', ')}, GET /metrics`
    sendStatus(reply, 404, 'NotFound', message)
  }
}

function sendStatus(reply: FastifyReply, code: number, reason: string, message: string): void {
  reply
    .code(code)
    .header('content-type', JSON_TYPE)
    .send(statusBody(code, reason, message))
}
