import { X509Certificate } from 'node:crypto'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import {
  issueAuthority,
  issueServing,
  type ServingCertificate,
} from '../../src/certificates/index.ts'
import { createServer, type Server, type ServerOptions } from '../../src/server/index.ts'

export const ALLOW = async () => ({ status: 200, body: '{"allowed":true}' })

export interface Running {
  readonly server: Server
  readonly url: string
  readonly port: number
  readonly certificates: ServerOptions['certificates']
  readonly metrics: Registry
  /** everything that was logged */
  readonly lines: string[]
}

/** A certificate for 127.0.0.1, with a CA of its own. */
export async function makeCertificate(): Promise<ServingCertificate> {
  const now = Date.now()
  const authority = await issueAuthority(now)
  const { key, cert } = await issueServing(authority, { names: ['127.0.0.1', '::1'], now })
  const notAfter = new X509Certificate(cert).validToDate.getTime()
  const valid = (at: number) => at < notAfter
  return { key, cert, ca: authority.cert, notBefore: now, notAfter, valid }
}

const shared = makeCertificate()

/** A listening server; stopped when the test ends. */
export async function startServer(t: Test, changes: Partial<ServerOptions> = {}): Promise<Running> {
  const certificates = changeable(await shared)
  const lines: string[] = []
  const note = (...parts: unknown[]) => void lines.push(parts.map(asText).join(' '))
  const log = { info: note, warn: note, error: note } as unknown as ServerOptions['log']
  const metrics = new Registry()
  const server = createServer({
    certificates,
    handlers: { mutate: ALLOW, validate: ALLOW },
    ready: () => [],
    metrics,
    log,
    ...changes,
  })
  t.teardown(() => server.stop())
  const { url, port } = await server.listen({ address: '127.0.0.1', port: 0 })
  return { server, url, port, certificates, metrics, lines }
}

const asText = (part: unknown) => (typeof part === 'string' ? part : JSON.stringify(part))

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
  /** fingerprint of the certificate that the server showed */
  readonly fingerprint: string
  /** the client's own port: the same for two requests over one connection */
  readonly localPort: number
}

interface Call {
  readonly method?: string
  readonly body?: string | Buffer
  readonly headers?: Record<string, string>
  readonly agent?: https.Agent
  readonly ca?: string
  /** the client's own certificate and key, PEM */
  readonly cert?: string
  readonly key?: string
}

/** One HTTPS request. */
export function call(url: string, options: Call = {}): Promise<Answer> {
  const { method = 'POST', body = '{}', agent, ca, cert, key } = options
  const sends = method === 'POST'
  const headers = options.headers ?? (sends ? { 'content-type': 'application/json' } : {})
  const trust = ca === undefined ? { rejectUnauthorized: false } : { ca }
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const own = cert === undefined ? {} : { cert, key }
  const request = https.request(url, { method, headers, agent: agent ?? false, ...trust, ...own })
  request.on('error', reject)
  request.on('response', (response) => {
    const socket = response.socket as TLSSocket
    const { localPort = 0 } = socket
    const fingerprint = socket.getPeerCertificate().fingerprint256
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => {
      const status = response.statusCode as number
      const text = Buffer.concat(chunks).toString()
      resolve({ status, headers: response.headers, body: text, fingerprint, localPort })
    })
  })
  request.end(sends ? body : undefined)
  return promise
}

/** A certificate source that a test changes by hand. */
export function changeable(first: ServingCertificate) {
  let current = first
  const listeners = new Set<(certificate: ServingCertificate) => void>()
  return {
    current: () => current,
    subscribe: (listener: (certificate: ServingCertificate) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    change: (next: ServingCertificate) => {
      current = next
      for (const listener of listeners) listener(next)
    },
    listeners,
  }
}

/** Resolves when the connection has ended, in whatever way. */
export function closing(socket: Socket): Promise<void> {
  socket.on('error', () => {})
  return new Promise((resolve) => socket.once('close', () => resolve()))
}
