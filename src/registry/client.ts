import { setTimeout as sleep } from 'node:timers/promises'
import { createAuthenticator } from './authenticator.ts'
import { createCredentialStore } from './credentials.ts'
import { locateRepository } from './endpoint.ts'
import type { Send } from './http_message.ts'
import { resolveReference } from './resolution.ts'
import { withRetries } from './retries.ts'
import { createSession } from './session.ts'
import { readTagList } from './tag_list.ts'
import { createTokenSource } from './token_source.ts'
import { createTransport } from './transport.ts'
import type {
  RegistryClient,
  RegistryClientOptions,
  RegistryClock,
  RegistryLimits,
  RegistryTimeouts,
} from './types.ts'

const KIB = 1024
const MIB = 1024 * KIB

const LIMITS: RegistryLimits = {
  tags: 250_000,
  pages: 10_000,
  tagPageBytes: 16 * MIB,
  manifestBytes: 4 * MIB,
  configBytes: MIB,
  tokenBytes: 256 * KIB,
}

const TIMEOUTS: RegistryTimeouts = { connect: 5_000, headers: 10_000, answer: 60_000 }

const SYSTEM_CLOCK: RegistryClock = {
  now: Date.now,
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal && { signal })
  },
}

/**
 * Makes a client for OCI registries. It keeps connections, the challenges of hosts and bearer
 * tokens; it keeps no tags and no digests.
 *
 * HTTPS, except for hosts whose settings say `insecure`. Credentials come from the access that a
 * request names; without one, from the Docker configuration file of the host's settings, then from
 * `credential`; else registries are asked anonymously. Paths in settings are taken as they are. They
 * are asked directly, unless the access or `proxyFor` names a proxy.
 *
 * @example
 *   const client = createRegistryClient({ settings: [{ host: 'localhost:5001', insecure: true }] })
 *   await client.listTags('localhost:5001/acme/web', {}) // ['v1.4.2', …]
 *   await client.resolve('localhost:5001/acme/web', 'v1.4.2', { platforms: true })
 *   // { digest: 'sha256:…', mediaType: '…', platforms: ['linux/amd64', 'linux/arm64'] }
 */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const { settings, before, userAgent = 'tagwarden', clock = SYSTEM_CLOCK } = options
  const limits = { ...LIMITS, ...options.limits }
  const transport = createTransport({ ...TIMEOUTS, ...options.timeouts }, options.proxyFor)
  const once: Send = async (request) => {
    await before?.(request.url.host, request.signal)
    return transport.send({
      ...request,
      headers: { 'user-agent': userAgent, ...request.headers },
    })
  }
  const send = withRetries(once, clock)
  const tokens = createTokenSource(send, limits, clock)
  const authenticator = createAuthenticator(
    createCredentialStore(clock, options.credential),
    tokens,
  )
  const ask = createSession(send, authenticator)

  return {
    async listTags(name, { signal, access, excludes }) {
      const repository = locateRepository(name, settings, access)
      return readTagList(ask, repository, limits, clock, excludes, signal)
    },
    async resolve(name, reference, { signal, platforms = false, access }) {
      const repository = locateRepository(name, settings, access)
      return resolveReference({ ask, limits, clock }, repository, reference, platforms, signal)
    },
    close: () => transport.close(),
  }
}
