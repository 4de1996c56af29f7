import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TagwardenError } from '../errors.ts'
import { acmeRepositories } from './acme.ts'
import { answerApi } from './distribution_api.ts'

/** A running embedded registry. */
export interface EmbeddedRegistry {
  /** `host:port`, as it stands in an image reference; plain HTTP */
  readonly host: string
  /** Stops listening and ends every connection. */
  close(): Promise<void>
}

/**
 * Starts the small bundled OCI registry: read-only, plain HTTP, repositories `acme/web`,
 * `acme/api`, `acme/migrate` and `acme/worker`, the same digests every time.
 *
 * @param options.host address to listen on; 127.0.0.1 unless told
 * @param options.port 0 takes a free one
 * @throws TagwardenError ERR_LISTEN
 *
 * @example
 *   const registry = await startEmbeddedRegistry({ port: 5001 })
 *   registry.host // '127.0.0.1:5001'
 *   await registry.close()
 */
export async function startEmbeddedRegistry(
  options: { readonly host?: string | undefined; readonly port?: number | undefined } = {},
): Promise<EmbeddedRegistry> {
  const { host = '127.0.0.1', port = 0 } = options
  const repositories = acmeRepositories()
  const server = createServer((request, response) => {
    const { method = 'GET', url: path = '/' } = request
    const answer = answerApi(repositories, { method, path })
    response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  const shown = host.includes(':') ? `[${host}]` : host
  try {
    await once(server.listen(port, host), 'listening')
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown cause'
    throw new TagwardenError(
      'ERR_LISTEN',
      `the embedded registry cannot listen on ${shown}:${port} (${reason})`,
      { cause, remedy: 'Stop what listens there, or choose another port' },
    )
  }
  return {
    host: `${shown}:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
