import { Server as Listener, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import fastify from 'fastify'
import type { App } from './app.ts'
import { clientTls } from './clients.ts'
import { answerFailure, answerNotFound } from './failure.ts'
import { createGate } from './gate.ts'
import { listen } from './listen.ts'
import { createRequestMetrics } from './metrics.ts'
import { addProbes } from './probes.ts'
import { acceptRawJson } from './raw_json.ts'
import { ARRIVED, addReviewRoute, type Traffic } from './reviews.ts'
import type { Server, ServerOptions } from './types.ts'

/** Twice what etcd stores, were each of its characters written as `\u003c`: 18 MiB; and some more. */
const DEFAULT_BODY_LIMIT = 32 * 1024 * 1024

/** More than the 90 s after which the API server itself drops an idle connection. */
const KEEP_ALIVE = 120_000
/**
 * Node counts it from the opening of a connection too, and the API server opens some that it uses
 * later: it has to outlast those 90 s as well.
 */
const HEAD_MARGIN = 5_000
const HANDSHAKE_TIMEOUT = 10_000
const MAX_CONNECTIONS = 4_096
const DRAIN_TIMEOUT = 30_000
/** For requests on their way when the door closes. */
const QUIET = 250
/** A connection with a request in the last so many ms will have another one, which tells it to go. */
const BUSY = 1_000

/**
 * Makes the HTTPS server of the webhook: `POST` for each handler, `GET /healthz`, `/readyz`,
 * `/metrics`. It takes a renewed certificate, and other CAs of clients, without dropping a
 * connection.
 *
 * @throws TagwardenError ERR_CERTIFICATE when TLS cannot use the certificate
 *
 * @example
 *   const server = createServer({ certificates, handlers, ready: () => [], metrics, log })
 *   const { url } = await server.listen({ address: '127.0.0.1', port: 8443 })
 *   await server.stop()
 */
export function createServer(options: ServerOptions): Server {
  const { certificates, handlers, log, clock = Date.now } = options
  const { sleep = (ms: number): Promise<unknown> => delay(ms) } = options
  const bodyLimit = options.bodyLimit ?? DEFAULT_BODY_LIMIT
  const traffic: Traffic = { open: 0, draining: false }
  /** when each connection had its last request */
  const lastUsed = new Map<Socket, number>()
  const app = createApp(options, bodyLimit)
  acceptRawJson(app, bodyLimit, log)
  app.decorateRequest(ARRIVED, 0)
  app.setErrorHandler(answerFailure(log, bodyLimit))
  app.setNotFoundHandler(answerNotFound(Object.keys(handlers)))
  const gate = createGate({ ...options, clock, settle: HANDSHAKE_TIMEOUT })
  const observer = createRequestMetrics(options.metrics)
  for (const [name, handler] of Object.entries(handlers)) {
    const path = `/${name}`
    addReviewRoute(app, { path, handler, gate, observe: observer(path), traffic, clock })
  }
  addProbes(app, { ...options, traffic, clock })

  app.addHook('onSend', (_request, reply, payload, done) => {
    if (traffic.draining) reply.header('connection', 'close')
    done(null, payload)
  })
  app.server.on('request', ({ socket }) => {
    if (!lastUsed.has(socket)) socket.once('close', () => lastUsed.delete(socket))
    lastUsed.set(socket, performance.now())
  })
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  if (gate) app.server.on('secureConnection', gate.opened)
  const renew = () => app.server.setSecureContext(secureContext(options))
  const ends = [certificates.subscribe(renew), options.clients?.authority.subscribe(renew)]

  async function drain(): Promise<void> {
    traffic.draining = true
    await sleep(options.drainDelay ?? 0)
    // Only the door: Node's own close() drops idle connections, also those with a request on its way.
    if (app.server.listening) Listener.prototype.close.call(app.server)
    await settled(traffic, lastUsed, options.drainTimeout ?? DRAIN_TIMEOUT)
    const closed = app.close()
    if (traffic.open > 0) {
      log.warn({ reviews: traffic.open }, 'stopping before these reviews were answered')
    }
    // What is left has no review under way: opened and never used, or stuck in its handshake.
    app.server.closeAllConnections()
    for (const socket of sockets) {
      socket.destroy()
    }
    await closed
    for (const end of ends) end?.()
  }

  let stopping: Promise<void> | undefined
  return {
    listen: async (where) => {
      await app.ready()
      return listen(app.server, where)
    },
    stop: () => {
      stopping ??= drain()
      return stopping
    },
    clientsEnd: () => gate?.nextEnd(),
  }
}

function secureContext({ certificates, clients }: ServerOptions) {
  const { key, cert } = certificates.current()
  return { key, cert, minVersion: 'TLSv1.2' as const, ...(clients && clientTls(clients)) }
}

function createApp(options: ServerOptions, bodyLimit: number): App {
  const keepAliveTimeout = options.keepAliveTimeout ?? KEEP_ALIVE
  const app = fastify({
    https: {
      ...secureContext(options),
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      // Probes and Prometheus have no certificate; who may ask for reviews is for the gate.
      ...(options.clients && { requestCert: true, rejectUnauthorized: false }),
    },
    logger: false,
    bodyLimit,
    keepAliveTimeout,
    requestTimeout: keepAliveTimeout + 2 * HEAD_MARGIN,
    // A review that comes while the server drains is still answered.
    return503OnClosing: false,
  })
  app.server.headersTimeout = keepAliveTimeout + HEAD_MARGIN
  app.server.maxConnections = MAX_CONNECTIONS
  return app
}

/**
 * Resolves when nothing has been asked for a moment and all busy connections are gone, or when the
 * time is over.
 */
async function settled(
  traffic: Traffic,
  lastUsed: ReadonlyMap<Socket, number>,
  timeout: number,
): Promise<void> {
  const start = performance.now()
  let quietSince = start
  for (let now = start; now - start < timeout; now = performance.now()) {
    const uses = [...lastUsed.values()]
    quietSince = traffic.open > 0 ? now : Math.max(quietSince, ...uses)
    const isAwaited = now - start < BUSY && uses.some((at) => at > start - BUSY)
    if (!isAwaited && now - quietSince >= QUIET) return
    await delay(25)
  }
}
