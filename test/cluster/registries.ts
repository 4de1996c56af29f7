import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addImage, createStoredRepository } from '../../src/embedded/index.ts'
import { REGISTRIES, requireAsset } from './assets.ts'
import { createAuthority } from './authority.ts'
import { freePorts, start, waitFor } from './child.ts'

/** The one account of a registry with `htpasswd`. */
export const ACCOUNT = { username: 'reader', password: 'correct-horse' }
const HTPASSWD = 'reader:$2a$05$Zu7/ATPICSIEMcIbC285XePFyvHev52c45T1uAtoVZMJcFw5HYy9q\n'

/** A running CNCF Distribution registry. */
export interface Distribution {
  /** `127.0.0.1:port` */
  readonly host: string
  readonly url: string
  /** root folder of its storage */
  readonly storage: string
  /** PEM of the authority of its certificate, with `tls` */
  readonly authority: string | undefined
  /** Pushes a small image through the API; returns the digest behind the tag. */
  push(repository: string, tag: string, platforms?: readonly string[]): Promise<string>
  /** Makes many tags of one digest at once, in the storage itself. */
  linkTags(repository: string, tags: readonly string[], digest: string): void
  stop(): Promise<void>
}

/** Starts the real registry on a free port of 127.0.0.1, with an empty storage of its own. */
export async function startDistribution(options: {
  readonly version: keyof typeof REGISTRIES
  readonly auth?: 'none' | 'htpasswd'
  readonly tls?: boolean
}): Promise<Distribution> {
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-registry-'))
  const [port] = await freePorts(1)
  const host = `127.0.0.1:${port}`
  const storage = join(folder, 'storage')
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const authority = options.tls ? createAuthority('registry-test') : undefined
  const issued = authority?.issue('registry', { names: ['127.0.0.1', 'localhost'] })
  const configuration = {
    version: 0.1,
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: {
      addr: host,
      ...(issued && {
        tls: {
          certificate: write('tls.crt', issued.certificate),
          key: write('tls.key', issued.key),
        },
      }),
    },
    ...(options.auth === 'htpasswd' && {
      auth: { htpasswd: { realm: 'test', path: write('htpasswd', HTPASSWD) } },
    }),
  }
  const registry = start(`registry ${options.version}`, requireAsset(REGISTRIES[options.version]), [
    'serve',
    // JSON is YAML.
    write('config.yml', JSON.stringify(configuration)),
  ])
  const url = `${issued ? 'https' : 'http'}://${host}`
  const call = (method: string, path: string, type = '', body: Buffer = Buffer.alloc(0)) =>
    send(new URL(path, url), method, authority?.certificate, type, body)
  const stop = async () => {
    await registry.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  await waitFor(async () => [200, 401].includes((await call('GET', '/v2/')).status), {
    timeout: 15_000,
    what: 'the registry answers',
    running: [registry],
  })
  return {
    host,
    url,
    storage,
    authority: authority?.certificate,
    stop,
    push: (repository, tag, platforms = ['linux/amd64']) => push(call, repository, tag, platforms),
    linkTags: (repository, tags, digest) => {
      for (const tag of tags) {
        const link = `docker/registry/v2/repositories/${repository}/_manifests/tags/${tag}/current`
        mkdirSync(join(storage, link), { recursive: true })
        writeFileSync(join(storage, link, 'link'), digest)
      }
    },
  }
}

interface Answer {
  readonly status: number
  readonly location: string | undefined
}
type Call = (method: string, path: string, type?: string, body?: Buffer) => Promise<Answer>

async function push(
  call: Call,
  repository: string,
  tag: string,
  platforms: readonly string[],
): Promise<string> {
  const stored = createStoredRepository()
  const digest = addImage(stored, { title: `${repository} ${tag}`, platforms })
  for (const [name, blob] of stored.blobs) {
    const { location } = await expect(202, call('POST', `/v2/${repository}/blobs/uploads/`))
    const place = `${location}${location?.includes('?') ? '&' : '?'}digest=${name}`
    await expect(201, call('PUT', place, 'application/octet-stream', blob))
  }
  // An index comes after the manifests that it names.
  const manifests = [...stored.manifests].filter(([name]) => name !== digest)
  for (const [name, { mediaType, bytes }] of manifests) {
    await expect(201, call('PUT', `/v2/${repository}/manifests/${name}`, mediaType, bytes))
  }
  const top = stored.manifests.get(digest)
  if (top === undefined) throw new Error(`${digest} was not stored`)
  await expect(201, call('PUT', `/v2/${repository}/manifests/${tag}`, top.mediaType, top.bytes))
  return digest
}

async function expect(status: number, answer: Promise<Answer>): Promise<Answer> {
  const given = await answer
  if (given.status !== status) throw new Error(`the registry answered ${given.status}`)
  return given
}

function send(
  url: URL,
  method: string,
  ca: string | undefined,
  type: string,
  body: Buffer,
): Promise<Answer> {
  const { username, password } = ACCOUNT
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest
    const headers = {
      authorization,
      'content-length': body.length,
      ...(type && { 'content-type': type }),
    }
    const call = request(url, { method, headers, agent: false, ...(ca && { ca }) }, (answer) => {
      answer.resume()
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location }),
      )
    })
    call.on('error', () =>
      method === 'GET' ? resolve({ status: 0, location: undefined }) : reject,
    )
    call.end(body)
  })
}
