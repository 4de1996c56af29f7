import { causesOf } from '../errors.ts'
import { ClusterError } from './cluster_error.ts'
import type { Answer } from './transport.ts'

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export interface Status {
  readonly kind: 'Status'
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly metadata?: { readonly continue?: string }
  readonly details?: { readonly retryAfterSeconds?: number }
}

const LONGEST_MESSAGE = 1_024
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}
const CERTIFICATE = /CERT|ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/
const CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ENOTFOUND: 'is a name that cannot be resolved',
  EAI_AGAIN: 'is a name that cannot be resolved',
  ECONNRESET: 'closed the connection',
  EPIPE: 'closed the connection',
  UND_ERR_SOCKET: 'closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'did not connect in time',
  ETIMEDOUT: 'did not connect in time',
  UND_ERR_HEADERS_TIMEOUT: 'did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'stopped in the middle of its answer',
  UND_ERR_DESTROYED: 'is no longer asked: the connection was closed',
  UND_ERR_CLOSED: 'is no longer asked: the connection was closed',
}

/** The Status in a body; undefined when it is something else. */
export function statusOf(value: unknown): Status | undefined {
  const isStatus = typeof value === 'object' && value !== null && 'kind' in value
  return isStatus && value.kind === 'Status' ? (value as Status) : undefined
}

/** What the API server refused, in its own words as far as it has some. */
export function refusal(what: string, code: number, status: Status | undefined): ClusterError {
  const reason = status?.reason || REASONS[code] || 'Unknown'
  const words = bounded(status?.message) || `the API server answered ${code}`
  return new ClusterError(`could not ${what}: ${words}`, {
    answer: code,
    reason,
    remedy: remedyFor(code),
  })
}

/** An answer that no API server gives. The body is not quoted. */
export function strangeAnswer(
  what: string,
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
): ClusterError {
  const type = headers['content-type']
  const known = typeof type === 'string' && /^[\w.+-]{1,80}\/[\w.+-]{1,80}/.exec(type)?.[0]
  return new ClusterError(
    `could not ${what}: the answer (${status}) is not of a Kubernetes API server (${known || 'no content type'})`,
    {
      answer: status,
      reason: 'StrangeAnswer',
      remedy: 'Check the address of the API server, and that no proxy or login page is between',
    },
  )
}

/** JSON that makes no sense. */
export function unusableAnswer(what: string, why: string): ClusterError {
  return new ClusterError(`could not ${what}: the answer cannot be used: ${why}`, {
    answer: 200,
    reason: 'StrangeAnswer',
  })
}

/** Nobody answered, or not in time. */
export function unreachable(what: string, server: string, cause: unknown): ClusterError {
  if (cause instanceof ClusterError) return cause
  const code = codeOf(cause)
  const words = CERTIFICATE.test(code)
    ? 'has a certificate that is not trusted'
    : (CONNECTION[code] ?? 'could not be asked')
  return new ClusterError(`could not ${what}: ${server} ${words}${code ? ` (${code})` : ''}`, {
    answer: 0,
    reason: 'Unreachable',
    remedy: CERTIFICATE.test(code)
      ? 'Check the certificate authority of the cluster'
      : 'Check that the API server runs and that the network lets it be reached',
    cause,
  })
}

export function late(what: string, server: string, ms: number): ClusterError {
  return new ClusterError(`could not ${what}: ${server} did not answer within ${ms} ms`, {
    answer: 0,
    reason: 'Timeout',
    remedy: 'Check that the API server and its etcd are not overloaded',
  })
}

export function abandoned(what: string, cause: unknown): ClusterError {
  const message = `could not ${what} before the caller stopped waiting`
  return new ClusterError(message, { answer: 0, reason: 'Aborted', cause })
}

export function tooLarge(what: string, answer: number, limit: number): ClusterError {
  return new ClusterError(`could not ${what}: the answer is larger than ${limit} bytes`, {
    answer,
    reason: 'TooLarge',
  })
}

function remedyFor(code: number): string | undefined {
  if (code === 401) return 'Check the token or certificate of this account; it may have expired'
  if (code === 403) return 'Give this account the right by a Role or ClusterRole'
  return undefined
}

function bounded(text: string | undefined): string {
  if (typeof text !== 'string') return ''
  const line = text.replace(/[\s\u0000-\u001f\u007f]+/g, ' ').trim()
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE)}…` : line
}

/** The first code in the error, its causes, and the parts of an AggregateError. */
function codeOf(error: unknown): string {
  for (const { code } of causesOf(error) as Iterable<NodeJS.ErrnoException>) {
    if (typeof code === 'string') return code
  }
  return ''
}
