import type { Agent, Dispatcher } from 'undici'
import { TagwardenError } from '../errors.ts'
import { readAuthority } from './certificate_authority.ts'
import { connectionFailure } from './connection_failure.ts'
import type { HttpRequest, Send } from './http_message.ts'
import { fileFailure, storedFile } from './stored_file.ts'
import type { RegistryTimeouts } from './types.ts'

/** Sends requests, each once. */
export interface Transport {
  readonly send: Send
  close(): Promise<void>
}

const REFUSAL_BYTES = 64 * 1024
/** Longer than most scans are apart from their next page, shorter than load balancers wait. */
const KEEP_ALIVE_MS = 30_000

/** HTTP/1.1 with kept connections, one pool for each certificate authority. */
export function createTransport(timeouts: RegistryTimeouts): Transport {
  const pools = new Map<string | undefined, { authority: string[] | undefined; agent: Agent }>()
  const authorities = new Map<string, () => Promise<string[]>>()

  async function agentFor(path: string | undefined): Promise<Agent> {
    // undici takes 45 ms to load: only a process that asks a registry pays for it
    const undici = await import('undici')
    const authority = path === undefined ? undefined : await authorityAt(path)
    const pool = pools.get(path)
    if (pool !== undefined && pool.authority === authority) return pool.agent
    void pool?.agent.close()
    const agent = new undici.Agent({
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: { timeout: timeouts.connect, ...(authority && { ca: authority }) },
    })
    pools.set(path, { authority, agent })
    return agent
  }

  function authorityAt(path: string): Promise<string[]> {
    const file = authorities.get(path) ?? storedFile(path, (text) => readAuthority(text, path))
    authorities.set(path, file)
    return file().catch((error) => {
      throw unreadable(path, error)
    })
  }

  return {
    async send(request) {
      const agent = await agentFor(request.certificateAuthority)
      // a controller of our own: AbortSignal.any() would hold on to long-lived signals
      const controller = new AbortController()
      const abort = () => controller.abort(request.signal?.reason)
      const timer = setTimeout(() => controller.abort(), timeouts.answer)
      request.signal?.addEventListener('abort', abort, { once: true })
      if (request.signal?.aborted) abort()
      try {
        const answer = await agent.request({
          origin: request.url.origin,
          path: request.url.pathname + request.url.search,
          method: request.method,
          headers: request.headers,
          body: request.body ?? null,
          headersTimeout: timeouts.headers,
          bodyTimeout: timeouts.headers,
          signal: controller.signal,
        })
        const body = await readBody(answer, request)
        return { url: request.url, status: answer.statusCode, headers: answer.headers, body }
      } catch (error) {
        throw connectionFailure(error, request, controller.signal.aborted, timeouts)
      } finally {
        clearTimeout(timer)
        request.signal?.removeEventListener('abort', abort)
      }
    },
    async close() {
      await Promise.all([...pools.values()].map(({ agent }) => agent.destroy()))
      pools.clear()
    },
  }
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

function unreadable(path: string, error: unknown): unknown {
  if (error instanceof TagwardenError) return error
  return new TagwardenError(
    'ERR_CERTIFICATE',
    `the certificate authority ${path} cannot be read (${fileFailure(error)})`,
    { cause: error, remedy: 'Correct certificateAuthority of this registry in the configuration' },
  )
}
