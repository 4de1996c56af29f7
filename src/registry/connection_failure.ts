import { causesOf, type ErrorCode, TagwardenError } from '../errors.ts'
import type { HttpRequest } from './http_message.ts'
import { proxyFailure } from './proxy_failure.ts'
import type { RegistryTimeouts } from './types.ts'

type Words = readonly [code: ErrorCode, text: string, remedy: string]

const CLOSED: Words = ['ERR_REGISTRY_UNREACHABLE', 'closed the connection', 'Try again']
const RESETS = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])
const CHECK_HOST = 'Check the name and port, and that the registry runs'
const NO_ROUTE: Words = ['ERR_REGISTRY_UNREACHABLE', 'cannot be reached', CHECK_HOST]
const NO_NAME: Words = ['ERR_REGISTRY_UNREACHABLE', 'is a name that cannot be resolved', CHECK_HOST]
const NOT_HTTP: Words = [
  'ERR_REGISTRY_RESPONSE',
  'does not answer in HTTP',
  'Check the port; leave out insecure when the registry speaks HTTPS',
]
const REFUSED_BY_TLS: Words = [
  'ERR_REGISTRY_UNREACHABLE',
  'ended the TLS handshake: it may ask for another client certificate than it got',
  'Check the client certificate of this access, and which one the registry asks for',
]
const NOT_TLS: Words = [
  'ERR_REGISTRY_UNREACHABLE',
  'does not speak TLS',
  'Set insecure: true for this host in registries if it speaks plain HTTP',
]

const WORDS: Readonly<Record<string, Words>> = {
  ECONNREFUSED: ['ERR_REGISTRY_UNREACHABLE', 'refused the connection', CHECK_HOST],
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  EADDRNOTAVAIL: NO_ROUTE,
  EPROTO: NOT_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_TLS,
  UND_ERR_HEADERS_OVERFLOW: ['ERR_REGISTRY_LIMIT', 'sent too many headers', ''],
  UND_ERR_DESTROYED: ['ERR_REGISTRY_UNREACHABLE', 'is no longer asked: the client was closed', ''],
  UND_ERR_CLOSED: ['ERR_REGISTRY_UNREACHABLE', 'is no longer asked: the client was closed', ''],
}

const ADD_AUTHORITY = 'Name the PEM file of its authority as certificateAuthority in registries'
const CERTIFICATES: Readonly<Record<string, readonly [text: string, remedy: string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: ['signed its own certificate', ADD_AUTHORITY],
  SELF_SIGNED_CERT_IN_CHAIN: ['has a certificate of an authority that is not known', ADD_AUTHORITY],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'has a certificate of an authority that is not known',
    ADD_AUTHORITY,
  ],
  UNABLE_TO_GET_ISSUER_CERT: ['has a certificate whose issuer is not known', ADD_AUTHORITY],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['has a certificate whose issuer is not known', ADD_AUTHORITY],
  CERT_SIGNATURE_FAILURE: ['has a certificate that its authority did not sign', ADD_AUTHORITY],
  CERT_HAS_EXPIRED: ['has a certificate that has expired', 'Renew it at the registry'],
  CERT_NOT_YET_VALID: ['has a certificate that is not valid yet', 'Check the clocks'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'has a certificate for another name',
    'Use a name that the certificate covers',
  ],
}

/**
 * What went wrong between us and the host, in words.
 *
 * @param aborted whether our own signal ended it: the caller's, or the time for the whole answer
 */
export function connectionFailure(
  error: unknown,
  request: HttpRequest,
  aborted: boolean,
  timeouts: RegistryTimeouts,
): TagwardenError {
  if (error instanceof TagwardenError) return error
  const { host } = request.url
  const code = codeOf(error)
  const proxy = aborted ? undefined : proxyFailure(error, code, request.connection)
  if (proxy !== undefined) {
    const message = `${host} was not reached: ${proxy.text}`
    const options = { cause: error, remedy: proxy.remedy }
    return new TagwardenError('ERR_REGISTRY_UNREACHABLE', message, options)
  }
  const late = timeoutWords(code, request.signal?.aborted === true, aborted, timeouts)
  if (late !== undefined) {
    return new TagwardenError('ERR_REGISTRY_TIMEOUT', `${host} ${late}`, { cause: error })
  }
  const [kind, text, remedy] = wordsFor(code)
  return new TagwardenError(kind, `${host} ${text}${code ? ` (${code})` : ''}`, {
    cause: error,
    remedy,
  })
}

/** Whether the connection broke for no lasting reason, so that asking again may help. */
export function isReset(error: unknown): boolean {
  return error instanceof TagwardenError && RESETS.has(codeOf(error.cause))
}

function wordsFor(code: string): Words {
  const certificate = CERTIFICATES[code]
  if (certificate !== undefined) return ['ERR_REGISTRY_UNREACHABLE', ...certificate]
  if (RESETS.has(code)) return CLOSED
  if (code.includes('_ALERT_')) return REFUSED_BY_TLS
  if (code.startsWith('HPE_')) return NOT_HTTP
  if (code.startsWith('ERR_SSL_')) return NOT_TLS
  return WORDS[code] ?? ['ERR_REGISTRY_UNREACHABLE', 'could not be asked', '']
}

function timeoutWords(
  code: string,
  gaveUp: boolean,
  aborted: boolean,
  timeouts: RegistryTimeouts,
): string | undefined {
  if (gaveUp) return 'did not answer before the caller stopped waiting'
  if (aborted) return `did not finish its answer within ${timeouts.answer} ms`
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return `did not connect within ${timeouts.connect} ms`
  if (code === 'ETIMEDOUT') return 'did not connect in time'
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return `did not answer within ${timeouts.headers} ms`
  if (code === 'UND_ERR_BODY_TIMEOUT') {
    return `sent nothing for ${timeouts.headers} ms in the middle of its answer`
  }
  return undefined
}

/** The first code in the error and its causes. */
function codeOf(error: unknown): string {
  for (const { code, name } of causesOf(error) as Iterable<NodeJS.ErrnoException>) {
    if (typeof code === 'string') return code
    if (name === 'HTTPParserError') return 'HPE_INVALID'
  }
  return ''
}
