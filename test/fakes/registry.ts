import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ApiAnswer,
  addImage,
  answerApi,
  createStoredRepository,
  refuse,
  type StoredRepository,
} from '../../src/embedded/index.ts'
import { createFakeAuthority, type FakeAuthority } from './registry_authority.ts'
import { createFakeTokens, type FakeAuthentication, type FakeTokens } from './registry_tokens.ts'

export type { FakeAuthentication } from './registry_tokens.ts'

/** What the fake does wrong from now on. Everything off is a registry that works. */
export interface FakeFaults {
  /** accepts the request and never answers */
  hang?: boolean
  /** ms before the answer */
  delay?: number
  /** ends the connection without an answer, this many times */
  resets?: number
  /** statuses to answer with, one a request, before it works again */
  statuses?: number[]
  /** `Retry-After` of these and of `rateLimited` */
  retryAfter?: string
  /** answers 429 to everything */
  rateLimited?: boolean
  /** answers everything with a login page of status 200 */
  html?: boolean
  /** cuts every JSON body in the middle */
  brokenJson?: boolean
  /** sends half of a body and then nothing more */
  stall?: boolean
  /** a tag list that never ends: each page links to a new next one */
  endless?: boolean
  /** replaces the body of every tag page */
  tagPage?: string
  /** the `Link` field of every tag page */
  link?: string | string[]
  /** `Location` of a 307 to tag lists and manifests */
  redirect?: string
  /** `Location` of a 307 to blobs */
  blobRedirect?: string
  /** a byte of every manifest and blob is another one than the digest says */
  damage?: boolean
  /** `Docker-Content-Digest` of manifests; empty leaves it out */
  digestHeader?: string
  /** `Content-Type` of manifests */
  contentType?: string
  /** this many bytes are sent as every manifest */
  hugeManifest?: number
  /** status of every HEAD */
  headStatus?: number
  /** only requests whose `METHOD /path` matches are treated badly */
  only?: RegExp
}

/** A request that came in, token requests included. */
export interface FakeRequest {
  readonly method: string
  /** path with query */
  readonly path: string
  readonly headers: IncomingMessage['headers']
}

export interface FakeRegistryOptions {
  /** repository -> its tags; each tag gets an image of its own */
  readonly repositories?: Readonly<Record<string, readonly string[]>>
  /** of each image; two make an index. Default linux/amd64 and linux/arm64 */
  readonly platforms?: readonly string[]
  readonly authentication?: FakeAuthentication
  /** HTTPS with a certificate of its own authority */
  readonly tls?: boolean
  /** with `tls`: connects only to who has a certificate of that authority */
  readonly clientCertificates?: boolean
  /** largest page of a tag list, whatever `n` says */
  readonly pageSize?: number
  readonly faults?: FakeFaults
}

export interface FakeRegistry {
  /** `127.0.0.1:port` */
  readonly host: string
  readonly origin: string
  /** what it holds; may be changed while it runs */
  readonly repositories: Map<string, StoredRepository>
  /** may be changed while it runs */
  faults: FakeFaults
  /** every request so far; may be emptied */
  readonly requests: FakeRequest[]
  /** digest behind a tag */
  digest(repository: string, tag: string): string
  /** adds a tag, or moves it to a new image made from `title` */
  push(repository: string, tag: string, title?: string): string
  /** PEM of the authority, with `tls` */
  readonly authority: string
  /** PEM of a certificate and key that it lets in, with `clientCertificates` */
  readonly clientCertificate: { readonly cert: string; readonly key: string } | undefined
  /** tokens given out so far, with token authentication */
  readonly tokens: FakeTokens
  close(): Promise<void>
}

const PLATFORMS = ['linux/amd64', 'linux/arm64']

/**
 * An OCI registry in this process, over the embedded registry's own storage and API, that can be
 * told to misbehave.
 *
 * @example
 *   const registry = await startFakeRegistry({ repositories: { 'acme/web': ['v1.0.0'] } })
 *   t.teardown(() => registry.close())
 *   registry.faults = { hang: true }
 */
export async function startFakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const { platforms = PLATFORMS, authentication } = options
  const authority: FakeAuthority | undefined = options.tls ? createFakeAuthority() : undefined
  const tokens = createFakeTokens(authentication)

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request
    registry.requests.push({ method, path, headers })
    const { faults } = registry
    const bad = !faults.only || faults.only.test(`${method} ${path}`) ? faults : {}
    if (bad.hang) return
    if (bad.delay) await sleep(bad.delay, undefined, { ref: false })
    if (bad.resets) {
      bad.resets -= 1
      request.socket.destroy()
      return
    }
    const answer =
      generalFault(bad) ??
      (await tokens.answer(request, registry.origin)) ??
      spoil(answerApi(registry.repositories, { method, path: paged(path) }), method, path, bad)
    response.writeHead(answer.status, { ...answer.headers, ...several(bad, path) })
    if (!bad.stall) return void response.end(answer.body)
    response.write(answer.body.subarray(0, Math.ceil(answer.body.length / 2)))
  }

  function paged(path: string): string {
    const url = new URL(path, registry.origin)
    if (options.pageSize === undefined || !url.pathname.endsWith('/tags/list')) return path
    const asked = Number(url.searchParams.get('n') ?? options.pageSize)
    url.searchParams.set('n', String(Math.min(asked, options.pageSize)))
    return url.pathname + url.search
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response).catch((error) => response.destroy(error))
  }
  const server = authority
    ? createTlsServer(
        {
          ...authority.server,
          ...(options.clientCertificates && { requestCert: true, ca: authority.certificate }),
        },
        listener,
      )
    : createHttpServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`

  const registry: FakeRegistry = {
    host,
    origin: `${authority ? 'https' : 'http'}://${host}`,
    repositories: new Map(),
    faults: options.faults ?? {},
    requests: [],
    authority: authority?.certificate ?? '',
    clientCertificate: authority?.client,
    tokens,
    digest(repository, tag) {
      const digest = registry.repositories.get(repository)?.tags.get(tag)
      if (digest === undefined) throw new Error(`the fake has no ${repository}:${tag}`)
      return digest
    },
    push(name, tag, title = `${name} ${tag}`) {
      const repository = registry.repositories.get(name) ?? createStoredRepository()
      registry.repositories.set(name, repository)
      const digest = addImage(repository, { title, platforms })
      repository.tags.set(tag, digest)
      return digest
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  for (const [name, tags] of Object.entries(options.repositories ?? {})) {
    if (tags.length === 0) registry.repositories.set(name, createStoredRepository())
    for (const tag of tags) registry.push(name, tag)
  }
  return registry
}

/** Faults that know nothing of what was asked. */
function generalFault(faults: FakeFaults): ApiAnswer | undefined {
  const wait: Record<string, string> = faults.retryAfter ? { 'Retry-After': faults.retryAfter } : {}
  if (faults.html) return text('<!doctype html><title>Log in</title>', 'text/html; charset=utf-8')
  if (faults.rateLimited) return refuse(429, 'TOOMANYREQUESTS', wait)
  const status = faults.statuses?.shift()
  return status === undefined ? undefined : refuse(status, 'UNKNOWN', wait)
}

/** Faults of one kind of answer. */
function spoil(answer: ApiAnswer, method: string, path: string, faults: FakeFaults): ApiAnswer {
  if (answer.status !== 200) return answer
  const [, kind] = /\/(tags|manifests|blobs)\//.exec(path) ?? []
  const place = kind === 'blobs' ? faults.blobRedirect : faults.redirect
  if (place !== undefined) return { ...refuse(307, 'UNKNOWN'), headers: { Location: place } }
  if (method === 'HEAD' && faults.headStatus) {
    return { ...refuse(faults.headStatus, 'UNSUPPORTED'), body: Buffer.alloc(0) }
  }
  if (kind === 'tags') return spoilTags(answer, path, faults)
  let { body } = answer
  const headers: Record<string, string> = { ...answer.headers }
  if (faults.hugeManifest) body = Buffer.alloc(faults.hugeManifest, ' ')
  if (faults.damage) body = Buffer.concat([body.subarray(0, -1), Buffer.from(' }')])
  if (faults.contentType !== undefined) headers['Content-Type'] = faults.contentType
  if (faults.digestHeader !== undefined) headers['Docker-Content-Digest'] = faults.digestHeader
  if (faults.digestHeader === '') delete headers['Docker-Content-Digest']
  if (faults.brokenJson) body = body.subarray(0, body.length / 2)
  if (method !== 'HEAD') headers['Content-Length'] = String(body.length)
  return { ...answer, headers, body }
}

function spoilTags(answer: ApiAnswer, path: string, faults: FakeFaults): ApiAnswer {
  if (faults.endless) {
    const page = Number(new URL(path, 'http://fake').searchParams.get('page') ?? 0)
    const tags = Array.from({ length: 100 }, (_, index) => `v${page}.${index}.0`)
    const endless = text(JSON.stringify({ name: 'endless', tags }), 'application/json')
    return { ...endless, headers: { ...endless.headers, Link: `<?page=${page + 1}>; rel=next` } }
  }
  if (faults.tagPage !== undefined) return text(faults.tagPage, 'application/json')
  if (faults.brokenJson) return text(answer.body.toString().slice(0, -3), 'application/json')
  return answer
}

function several(faults: FakeFaults, path: string): Record<string, string | string[]> {
  return faults.link !== undefined && path.includes('/tags/list') ? { Link: faults.link } : {}
}

function text(content: string, type: string): ApiAnswer {
  const body = Buffer.from(content)
  return {
    status: 200,
    headers: { 'Content-Type': type, 'Content-Length': String(body.length) },
    body,
  }
}
