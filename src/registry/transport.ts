import type { Dispatcher } from 'undici'
import { TagwardenError } from '../errors.ts'
import { withinTime } from '../scheduling/index.ts'
import { connectionFailure } from './connection_failure.ts'
import { createConnectionPools } from './connection_pools.ts'
import { refuseForbidden } from './forbidden_address.ts'
import type { HttpRequest, Send } from './http_message.ts'
import type { RegistryClientOptions, RegistryConnection, RegistryTimeouts } from './types.ts'

/** Sends requests, each once. */
export interface Transport {
  readonly send: Send
  close(): Promise<void>
}

const REFUSAL_BYTES = 64 * 1024

/** HTTP/1.1 with kept connections. */
export function createTransport(
  timeouts: RegistryTimeouts,
  proxyFor: RegistryClientOptions['proxyFor'] = () => undefined,
): Transport {
  const pools = createConnectionPools(timeouts)

  function routed(request: HttpRequest): HttpRequest {
    const proxy = request.connection?.proxy ?? proxyOf(proxyFor(request.url))
    return proxy ? { ...request, connection: { ...request.connection, proxy } } : request
  }

  return {
    async send(given) {
      refuseForbidden(given.url)
      const request = routed(given)
      const pool = await pools.poolFor(request)
      return withinTime(timeouts.answer, request.signal, async (signal) => {
        try {
          const answer = await pool.request({
            origin: request.url.origin,
            path: request.url.pathname + request.url.search,
            method: request.method,
            headers: request.headers,
            body: request.body ?? null,
            headersTimeout: timeouts.headers,
            bodyTimeout: timeouts.headers,
            signal,
          })
          const body = await readBody(answer, request)
          return { url: request.url, status: answer.statusCode, headers: answer.headers, body }
        } catch (error) {
          throw connectionFailure(error, request, signal.aborted, timeouts)
        }
      })
    },
    close: pools.close,
  }
}

function proxyOf(url: URL | undefined): RegistryConnection['proxy'] {
  if (url === undefined) return undefined
  const [username, password] = [url.username, url.password].map(decodeURIComponent)
  return { address: url.origin, ...(username && { username, password }) }
}

/** Reads no more than the limit; leaving the loop closes the connection. */
async function readBody(answer: Dispatcher.ResponseData, request: HttpRequest): Promise<Buffer> {
  const good = answer.statusCode === 200
  const limit = good ? request.limit : REFUSAL_BYTES
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer.body) {
    size += chunk.length
    if (size > limit && good) {
      throw new TagwardenError(
        'ERR_REGISTRY_LIMIT',
        `${request.url.host} sent more than ${limit} bytes for ${request.url.pathname}`,
      )
    }
    chunks.push(chunk)
    if (size > limit) break
  }
  return Buffer.concat(chunks)
}
