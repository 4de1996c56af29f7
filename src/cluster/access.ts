import type { Dispatcher } from 'undici'

/** What TLS needs to know of a cluster and of who asks; as `tls.connect` takes it. */
export interface TlsSettings {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly passphrase?: string
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

/** How to reach a cluster, and as whom. */
export interface Credentials {
  /** URL without a slash at its end */
  readonly server: string
  /** of the service account or of the context */
  readonly namespace: string | undefined
  readonly proxy: string | undefined
  /** As they are now: they may be written anew at any time. */
  current(): Promise<{
    readonly headers: Readonly<Record<string, string>>
    readonly tls: TlsSettings
  }>
  /** Reads them again from where they come, because they were refused. */
  renew(): Promise<void>
}

/** A way into the cluster that is open now. */
export interface Entrance {
  readonly headers: Readonly<Record<string, string>>
  /** for questions: so many at once, the others wait */
  readonly dispatcher: Dispatcher
  /** for streams, which keep a connection each */
  readonly streams: Dispatcher
  /** Call when these credentials were refused; the next entrance has new ones. */
  refused(): Promise<void>
}

/** Kept connections to a cluster, opened with the credentials of the moment. */
export interface Access {
  enter(): Promise<Entrance>
  close(): Promise<void>
}

/** Longer than the pauses between most requests; API servers keep connections for minutes. */
const KEEP_ALIVE_MS = 60_000
const CONNECT_MS = 10_000
const MOST_QUESTIONS = 64
const CONNECTION = { keepAlive: true, keepAliveInitialDelay: 30_000, timeout: CONNECT_MS }

/** New TLS settings open new connections; those that are in use may finish. */
export async function openAccess(credentials: Credentials): Promise<Access> {
  const { Agent, ProxyAgent } = await import('undici')
  let pool: (Pick<Entrance, 'dispatcher' | 'streams'> & { readonly key: string }) | undefined
  let generation = 0
  let renewal: Promise<void> | undefined

  function open(tls: TlsSettings, connections: number | null): Dispatcher {
    const { proxy } = credentials
    const options = { allowH2: false, keepAliveTimeout: KEEP_ALIVE_MS, connections }
    if (proxy === undefined) return new Agent({ ...options, connect: { ...CONNECTION, ...tls } })
    return new ProxyAgent({ ...options, uri: proxy, requestTls: { ...CONNECTION, ...tls } })
  }

  return {
    async enter() {
      await renewal
      const entered = generation
      const { headers, tls } = await credentials.current()
      const key = JSON.stringify(tls)
      if (pool?.key !== key) {
        void pool?.dispatcher.close().catch(() => {})
        void pool?.streams.close().catch(() => {})
        pool = { key, dispatcher: open(tls, MOST_QUESTIONS), streams: open(tls, null) }
      }
      return {
        headers,
        dispatcher: pool.dispatcher,
        streams: pool.streams,
        refused: async () => {
          if (entered !== generation) return
          generation += 1
          renewal = credentials.renew().finally(() => {
            renewal = undefined
          })
          await renewal
        },
      }
    },
    async close() {
      await Promise.all([pool?.dispatcher.destroy(), pool?.streams.destroy()])
    },
  }
}
