import { TagwardenError } from '../errors.ts'
import type { Authenticator, Authorization, Operation } from './authenticator.ts'
import type { Repository } from './endpoint.ts'
import type { HttpAnswer, Send } from './http_message.ts'
import type { Asked } from './refusal.ts'

/** A question to a repository's registry. */
export interface RegistryRequest {
  readonly repository: Repository
  readonly operation: Operation
  readonly method: 'GET' | 'HEAD'
  readonly url: URL
  readonly accept?: string | undefined
  /** bytes */
  readonly limit: number
  /** blobs are often kept elsewhere: such a place is followed to, without `Authorization` */
  readonly elsewhere?: boolean | undefined
  readonly signal: AbortSignal | undefined
}

/** An answer, and how it was asked for. */
export interface RegistryAnswer extends HttpAnswer, Asked {}

/** Asks the registry, answering its challenges and following its redirects. */
export type Ask = (request: RegistryRequest) => Promise<RegistryAnswer>

const MOST_REDIRECTS = 3
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** @param send retries, and knows nothing of credentials and redirects */
export function createSession(send: Send, authenticator: Authenticator): Ask {
  async function follow(request: RegistryRequest, authorization: Authorization) {
    let { url } = request
    for (let hops = 0; ; hops += 1) {
      const home = url.origin === request.url.origin
      const answer = await send({
        method: request.method,
        url,
        headers: {
          ...(request.accept && { accept: request.accept }),
          ...(home && authorization.header && { authorization: authorization.header }),
        },
        limit: request.limit,
        certificateAuthority: request.repository.endpoint.certificateAuthority,
        connection: request.repository.endpoint.connection,
        signal: request.signal,
      })
      if (!REDIRECTS.has(answer.status)) {
        const { withCredentials } = authorization
        return { ...answer, withCredentials, access: request.repository.access?.id }
      }
      url = nextPlace(answer, request, hops)
    }
  }

  return async (request) => {
    const { repository, operation, signal } = request
    const known = await authenticator.remembered(repository, operation, signal)
    const answer = await follow(request, known)
    if (answer.status !== 401 || answer.url.origin !== request.url.origin) return answer
    const challenge = answer.headers['www-authenticate']
    const better = await authenticator.answer(repository, operation, challenge, known, signal)
    return better === undefined ? answer : follow(request, better)
  }
}

function nextPlace(answer: HttpAnswer, request: RegistryRequest, hops: number): URL {
  const { location } = answer.headers
  const next = typeof location === 'string' ? URL.parse(location, answer.url.href) : null
  const problem = redirectProblem(next, answer.url, request, hops)
  if (next !== null && problem === undefined) return next
  throw new TagwardenError(
    'ERR_REGISTRY_REDIRECT',
    `${answer.url.host} answered ${answer.status} for ${request.repository.name} and points to ${problem}`,
    { remedy: 'Name the registry by the host that it really answers at' },
  )
}

function redirectProblem(
  next: URL | null,
  from: URL,
  request: RegistryRequest,
  hops: number,
): string | undefined {
  if (next === null || !/^https?:$/.test(next.protocol)) return 'no place that can be read'
  if (hops === MOST_REDIRECTS) return `yet another place, after ${MOST_REDIRECTS}`
  if (next.origin === request.url.origin) return undefined
  if (!request.elsewhere) return `${next.origin}, which is not followed`
  if (from.protocol === 'https:' && next.protocol === 'http:') return `${next.host} without TLS`
  return undefined
}
