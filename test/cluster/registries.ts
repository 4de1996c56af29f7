import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent } from 'undici'
import { REGISTRIES, requireAsset } from './assets.ts'
import { createAuthority } from './authority.ts'
import { start, waitFor } from './child.ts'
import { pushImage } from './image_push.ts'
import { startTokenServer } from './token_server.ts'

/** The one account of a registry with `htpasswd` or `token`. */
export const ACCOUNT = { username: 'reader', password: 'correct-horse' }
// bcrypt of that password
const HTPASSWD = 'reader:$2a$05$Zu7/ATPICSIEMcIbC285XePFyvHev52c45T1uAtoVZMJcFw5HYy9q\n'
const BASIC = `Basic ${Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')}`
// Huge lists of tags are made and removed here in a tenth of the time that a disk takes.
const PARENT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** A running CNCF Distribution registry. */
export interface Distribution {
  /** `127.0.0.1:port` */
  readonly host: string
  readonly url: string
  /** root folder of its storage */
  readonly storage: string
  /** PEM of the authority of its certificate (and its token server's), with `tls` */
  readonly authority: string | undefined
  readonly pid: number
  /**
   * Pushes a small image, by default for linux/amd64; an index when there are several platforms.
   * Returns the digest behind the tag.
   */
  push(repository: string, tag: string, platforms?: readonly string[]): Promise<string>
  /**
   * Makes many tags of one pushed digest at once, or moves them to it, in the storage itself.
   * Tags of one digest share one place, so never push to one of them: that would move them all.
   */
  linkTags(repository: string, tags: readonly string[], digest: string): void
  /** Ends it and removes its storage; may be called twice. */
  stop(): Promise<void>
}

/** What to start. */
export interface DistributionOptions {
  readonly version: keyof typeof REGISTRIES
  /** who may read and write: all, or ACCOUNT by password, or by a token that its password gets */
  readonly auth?: 'none' | 'htpasswd' | 'token'
  readonly tls?: boolean
}

/**
 * Starts the real registry on a free port of 127.0.0.1, with an empty storage of its own.
 *
 * @example
 *   const registry = await startDistribution({ version: 'v3', auth: 'token', tls: true })
 *   t.teardown(() => registry.stop())
 *   const digest = await registry.push('acme/web', 'v1.0.0', ['linux/amd64', 'linux/arm64'])
 */
export async function startDistribution(options: DistributionOptions): Promise<Distribution> {
  const { version, auth = 'none' } = options
  const program = requireAsset(REGISTRIES[version])
  const folder = mkdtempSync(join(PARENT, 'tagwarden-registry-'))
  const storage = join(folder, 'storage')
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const authority = options.tls ? createAuthority('registry-test') : undefined
  const issued = authority?.issue('registry', { names: ['127.0.0.1', 'localhost'] })
  const tokens = auth === 'token' ? await startTokenServer(ACCOUNT, issued) : undefined
  const configuration = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: {
      addr: '127.0.0.1:0',
      tls: issued && {
        certificate: write('tls.crt', issued.certificate),
        key: write('tls.key', issued.key),
      },
    },
    auth: {
      htpasswd:
        auth === 'htpasswd' ? { realm: 'test', path: write('htpasswd', HTPASSWD) } : undefined,
      token: tokens && { ...tokens.settings, rootcertbundle: write('tokens.crt', tokens.bundle) },
    },
  }
  // JSON is YAML.
  const file = write('config.yml', JSON.stringify(configuration))
  const registry = start(`registry ${version}`, program, ['serve', file])
  const dispatcher = new Agent({ connect: { ca: authority?.certificate } })
  const stop = async () => {
    await Promise.all([registry.stop(), tokens?.close(), dispatcher.destroy()])
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const port = () => /listening on 127\.0\.0\.1:(\d+)/.exec(registry.log())?.[1]
    const what = 'the registry listens'
    await waitFor(() => port() !== undefined, { what, running: [registry] })
    const host = `127.0.0.1:${port()}`
    const url = `${issued ? 'https' : 'http'}://${host}`
    return {
      host,
      url,
      storage,
      authority: authority?.certificate,
      pid: registry.pid,
      push: (repository, tag, platforms = ['linux/amd64']) => {
        const token = tokens?.issue([`repository:${repository}:pull,push`])
        const authorization = token === undefined ? BASIC : `Bearer ${token}`
        return pushImage({ url, dispatcher, authorization }, repository, tag, platforms)
      },
      linkTags: (repository, tags, digest) => linkTags(storage, repository, tags, digest),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function linkTags(
  storage: string,
  repository: string,
  tags: readonly string[],
  digest: string,
): void {
  const manifests = join(storage, 'docker/registry/v2/repositories', repository, '_manifests')
  const shared = `linked/${digest.replace(':', '-')}`
  mkdirSync(join(manifests, shared, 'current'), { recursive: true })
  writeFileSync(join(manifests, shared, 'current/link'), digest)
  mkdirSync(join(manifests, 'tags'), { recursive: true })
  for (const tag of tags) {
    const place = `${manifests}/tags/${tag}`
    // Ten times faster than a folder for each.
    if (lstatSync(place, { throwIfNoEntry: false })) rmSync(place, { recursive: true })
    symlinkSync(`../${shared}`, place)
  }
}
