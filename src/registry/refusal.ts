import { type ErrorCode, TagwardenError } from '../errors.ts'
import { retryAfter } from '../scheduling/index.ts'
import type { HttpAnswer } from './http_message.ts'

const STATUS_WORDS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

/** How a question was put, as far as it matters for what to do about a refusal. */
export interface Asked {
  /** whether credentials were sent */
  readonly withCredentials: boolean
  /** id of the access; undefined: by the settings */
  readonly access: string | undefined
}

/**
 * The failure that an answer of a bad status means.
 *
 * @param subject what was asked for, such as `ghcr.io/acme/web:v1`
 */
export function refusal(
  answer: HttpAnswer,
  subject: string,
  asked: Asked,
  now: number,
): TagwardenError {
  const { status, url } = answer
  const words = STATUS_WORDS[status]
  const wait = retryAfter(answer.headers['retry-after'], now)
  const parts = [
    `${url.host} answered ${status}${words ? ` ${words}` : ''} for ${subject}`,
    registryError(answer.body),
    wait === undefined ? '' : `retry after ${Math.ceil(wait / 1000)} s`,
  ]
  const [code, remedy] = meaning(status, url, asked)
  return new TagwardenError(code, parts.filter(Boolean).join(', '), { remedy })
}

function meaning(status: number, url: URL, asked: Asked): [ErrorCode, string] {
  const { host } = url
  const { withCredentials, access } = asked
  if ((status === 401 || status === 403) && access !== undefined) {
    const remedy = withCredentials
      ? `Renew what ${access} holds for ${host}, and check that this account may pull`
      : `Put an entry for ${host} into ${access}`
    return ['ERR_REGISTRY_UNAUTHORIZED', remedy]
  }
  if (status === 401 || status === 403) {
    const remedy = withCredentials
      ? `Log in to ${host} again, and check that this account may pull`
      : `Log in to ${host} and name the Docker configuration file as auth.dockerConfig in registries`
    return ['ERR_REGISTRY_UNAUTHORIZED', remedy]
  }
  if (status === 404) {
    return [
      'ERR_REGISTRY_NOT_FOUND',
      withCredentials
        ? 'Check the spelling'
        : 'Check the spelling; some registries answer so when credentials are needed',
    ]
  }
  if (status === 429) return ['ERR_REGISTRY_RATE_LIMITED', 'Scan less often, or log in']
  if (status === 400 && url.protocol === 'http:') {
    return ['ERR_REGISTRY_RESPONSE', 'Leave out insecure for this host if it speaks HTTPS']
  }
  return ['ERR_REGISTRY_RESPONSE', status >= 500 ? 'See how the registry is doing' : '']
}

/** The first error of the body, as far as it may be shown to people. */
function registryError(body: Buffer): string {
  try {
    const parsed = JSON.parse(body.toString())
    const { code, message } = parsed.errors[0]
    const parts = [
      typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? code : '',
      typeof message === 'string' ? printable(message) : '',
    ]
    return parts.filter(Boolean).join(': ')
  } catch {
    return ''
  }
}

/**
 * At most 200 characters on one line. A long run without a space could be a token that the
 * registry repeats, so it is left out, unless it is a digest.
 */
function printable(text: string): string {
  return text
    .slice(0, 1000)
    .replace(/(sha\d+:[0-9a-f]+)|[\w+/=.~-]{40,}/g, (_, digest) => digest ?? '…')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, 200)
}
