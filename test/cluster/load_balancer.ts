import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Agent, request } from 'undici'

/** What a Service does in a real cluster: one address for several replicas, by connection. */
export interface LoadBalancer {
  /** `https://127.0.0.1:port` */
  readonly url: string
  /** adds a replica by its own URL; it gets connections from when it is ready */
  add(url: string): void
  /** Takes it out; connections that stand go on, as with a real Service. */
  remove(url: string): void
  /** URLs that get new connections now */
  ready(): string[]
  /** Asks no more who is ready: what it knows counts. */
  stopAsking(): void
  close(): Promise<void>
}

/** How often `/readyz` is asked, in ms: a kubelet's probe, hurried. */
const INTERVAL = 100

/**
 * Starts a load balancer for TCP connections on 127.0.0.1. New connections go to the replicas that
 * say they are ready, in turn; one that can't be reached is passed over.
 */
export async function startLoadBalancer(): Promise<LoadBalancer> {
  const replicas = new Map<string, boolean>()
  const asked = new Set<string>()
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false }, headersTimeout: 10_000 })
  const sockets = new Set<Socket>()
  let turn = 0

  const probe = async (url: string) => {
    // One answer at a time: an old one must not come after a new one.
    if (asked.has(url)) return
    asked.add(url)
    const ready = await request(`${url}/readyz`, { dispatcher }).then(
      async ({ statusCode, body }) => {
        await body.dump()
        return statusCode === 200
      },
      () => false,
    )
    asked.delete(url)
    if (replicas.has(url)) replicas.set(url, ready)
  }
  const timer = setInterval(() => {
    for (const url of replicas.keys()) void probe(url)
  }, INTERVAL)

  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  }
  const server = createServer({ noDelay: true }, (client) => {
    keep(client)
    const candidates = [...replicas].filter(([, ready]) => ready).map(([url]) => url)
    turn += 1
    const forward = (tries: number) => {
      const url = candidates[(turn + tries) % candidates.length]
      if (url === undefined || tries === candidates.length) {
        client.destroy()
        return
      }
      const { hostname, port } = new URL(url)
      const upstream = connect({ host: hostname, port: Number(port), noDelay: true })
      keep(upstream)
      let connected = false
      upstream.once('connect', () => {
        connected = true
        client.pipe(upstream)
        upstream.pipe(client)
      })
      upstream.once('error', () => (connected ? client.destroy() : forward(tries + 1)))
      client.once('close', () => upstream.destroy())
    }
    forward(0)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    add: (url) => {
      replicas.set(url, false)
      void probe(url)
    },
    remove: (url) => void replicas.delete(url),
    ready: () => [...replicas].filter(([, ready]) => ready).map(([url]) => url),
    stopAsking: () => clearInterval(timer),
    close: async () => {
      clearInterval(timer)
      for (const socket of sockets) socket.destroy()
      await Promise.all([once(server.close(), 'close'), dispatcher.destroy()])
    },
  }
}
