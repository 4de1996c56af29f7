import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Dispatcher } from 'undici'
import { TagwardenError } from '../errors.ts'
import { readAuthority } from './certificate_authority.ts'
import { basicHeader } from './credential.ts'
import { guardedLookup, refuseForbidden } from './forbidden_address.ts'
import type { HttpRequest } from './http_message.ts'
import { fileFailure, storedFile } from './stored_file.ts'
import type { RegistryConnection, RegistryTimeouts } from './types.ts'

/** Kept connections, a pool for each way to connect: authority, client certificate, proxy. */
export interface ConnectionPools {
  /** @throws TagwardenError ERR_CERTIFICATE when an authority cannot be used */
  poolFor(request: HttpRequest): Promise<Dispatcher>
  close(): Promise<void>
}

interface Pool {
  readonly authority: readonly string[] | undefined
  readonly dispatcher: Dispatcher
}

/** Longer than most scans are apart from their next page, shorter than load balancers wait. */
const KEEP_ALIVE_MS = 30_000
/** The way that was used longest ago is closed when there are more. */
const MOST_POOLS = 2_000
const DIRECT: RegistryConnection = {}

export function createConnectionPools(timeouts: RegistryTimeouts): ConnectionPools {
  const pools = new LRUCache<string, Pool>({
    max: MOST_POOLS,
    dispose: ({ dispatcher }, _, reason) => {
      // what is under way ends by itself
      if (reason !== 'delete') void dispatcher.close().catch(() => {})
    },
  })
  const authorities = new Map<string, () => Promise<string[]>>()
  const keys = new WeakMap<RegistryConnection, string>()

  function keyOf(path: string | undefined, connection: RegistryConnection): string {
    const known = keys.get(connection)
    const key = known ?? createHash('sha256').update(wayOf(connection)).digest('base64url')
    if (known === undefined) keys.set(connection, key)
    return `${key} ${path ?? ''}`
  }

  function authorityAt(path: string): Promise<string[]> {
    const file = authorities.get(path) ?? storedFile(path, (text) => readAuthority(text, path))
    authorities.set(path, file)
    return file().catch((error) => {
      throw unreadable(path, error)
    })
  }

  return {
    async poolFor({ certificateAuthority: path, connection = DIRECT }) {
      // undici takes 45 ms to load: only a process that asks a registry pays for it
      const undici = await import('undici')
      const authority = path === undefined ? undefined : await authorityAt(path)
      const key = keyOf(path, connection)
      const pool = pools.get(key)
      if (pool !== undefined && pool.authority === authority) return pool.dispatcher
      const dispatcher = makePool(undici, timeouts, connection, authority)
      pools.set(key, { authority, dispatcher })
      return dispatcher
    },
    async close() {
      const all = [...pools.values()]
      for (const key of [...pools.keys()]) pools.delete(key)
      await Promise.all(all.map(({ dispatcher }) => dispatcher.destroy()))
    },
  }
}

function wayOf({ certificateAuthority, clientCertificate, proxy }: RegistryConnection): string {
  const { cert, key } = clientCertificate ?? {}
  const { address, username, password } = proxy ?? {}
  return JSON.stringify([certificateAuthority, cert, key, address, username, password])
}

function makePool(
  undici: typeof import('undici'),
  timeouts: RegistryTimeouts,
  connection: RegistryConnection,
  authority: readonly string[] | undefined,
): Dispatcher {
  const { certificateAuthority, clientCertificate, proxy } = connection
  const given =
    certificateAuthority === undefined
      ? []
      : readAuthority(certificateAuthority, "the access's certificate authority")
  const ca = [...(authority ?? []), ...given]
  const lookup = guardedLookup()
  const trusted = { timeout: timeouts.connect, lookup, ...(ca.length > 0 && { ca }) }
  const common = { allowH2: false, keepAliveTimeout: KEEP_ALIVE_MS }
  if (proxy === undefined) {
    return new undici.Agent({ ...common, connect: { ...trusted, ...clientCertificate } })
  }
  refuseForbidden(new URL(proxy.address))
  const { username, password = '' } = proxy
  return new undici.ProxyAgent({
    ...common,
    uri: proxy.address,
    ...(username !== undefined && { token: basicHeader(username, password) }),
    connectTimeout: timeouts.connect,
    proxyTls: trusted,
    requestTls: { ...trusted, ...clientCertificate },
  })
}

function unreadable(path: string, error: unknown): unknown {
  if (error instanceof TagwardenError) return error
  return new TagwardenError(
    'ERR_CERTIFICATE',
    `the certificate authority ${path} cannot be read (${fileFailure(error)})`,
    { cause: error, remedy: 'Correct certificateAuthority of this registry in the configuration' },
  )
}
