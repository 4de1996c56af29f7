import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KubernetesObject } from '../cluster/types.ts'
import { describeError, TagwardenError } from '../errors.ts'
import {
  basicCredential,
  type Credential,
  type DockerConfig,
  parseDockerConfig,
  type RegistryConnection,
  readAuthority,
} from '../registry/index.ts'

/** https://kubernetes.io/docs/concepts/configuration/secret/ */
export interface Secret extends KubernetesObject {
  readonly type?: string
  /** Base64 */
  readonly data?: Readonly<Record<string, string>>
}

/** What is kept of a Secret: what can be used, parsed. */
export interface HeldSecret {
  /** changes whenever the Secret does; tells nothing of what is in it */
  readonly version: string
  /** bytes of it, about */
  readonly size: number
  readonly docker?: DockerConfig | undefined
  /** of username and password */
  readonly login?: Credential | undefined
  readonly tls?: Pick<RegistryConnection, 'certificateAuthority' | 'clientCertificate'> | undefined
  readonly proxy?: RegistryConnection['proxy']
  /** what is wrong with it, for people; nothing of what is in it */
  readonly problems: readonly string[]
}

/** The types of Secrets that pods name as imagePullSecrets. */
export const PULL_SECRET_TYPES = [
  'kubernetes.io/dockerconfigjson',
  'kubernetes.io/dockercfg',
] as const

/**
 * Reads a Secret. Never throws: what can't be used is told in `problems`.
 *
 * @param title `Secret shop/regcred`, for messages
 */
export function readSecret(secret: Secret, title: string): HeldSecret {
  const { metadata, type, data } = secret
  const texts = textsOf(data)
  const problems: string[] = []
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      problems.push(wordsFor(error, title))
      return undefined
    }
  }
  const docker = attempt(() => readDocker(type, texts, title))
  for (const problem of docker?.problems ?? []) problems.push(describeError(problem))
  const isPullSecret = (PULL_SECRET_TYPES as readonly unknown[]).includes(type)
  return Object.freeze({
    version: `${metadata.uid ?? ''}.${metadata.resourceVersion ?? ''}`,
    size: Object.values(data ?? {}).reduce((sum, value) => sum + String(value).length, 0),
    docker,
    ...(!isPullSecret && {
      login: attempt(() => readLogin(texts, title)),
      tls: attempt(() => readTls(texts, title)),
      proxy: attempt(() => readProxy(texts, title)),
    }),
    problems: Object.freeze(problems),
  })
}

function readDocker(
  type: string | undefined,
  texts: ReadonlyMap<string, string>,
  title: string,
): DockerConfig | undefined {
  const config = texts.get('.dockerconfigjson')
  if (config !== undefined) return parseDockerConfig(config, title)
  const legacy = texts.get('.dockercfg')
  if (legacy !== undefined) return parseDockerConfig(legacy, title, 'legacy')
  if (type !== PULL_SECRET_TYPES[0] && type !== PULL_SECRET_TYPES[1]) return undefined
  throw new TagwardenError('ERR_CREDENTIALS', `${title} has no .dockerconfigjson`, {
    remedy: 'Make it with kubectl create secret docker-registry',
  })
}

function readLogin(texts: ReadonlyMap<string, string>, title: string): Credential | undefined {
  const username = texts.get('username')
  const password = texts.get('password')
  if (!username || password === undefined || texts.has('address')) return undefined
  return basicCredential(username, password, title)
}

function readTls(texts: ReadonlyMap<string, string>, title: string): HeldSecret['tls'] {
  const [ca, cert, key] = ['ca.crt', 'tls.crt', 'tls.key'].map((name) => texts.get(name))
  if (!ca && !cert && !key) return undefined
  if (!cert !== !key) {
    throw new TagwardenError('ERR_CERTIFICATE', `${title} has only one of tls.crt and tls.key`, {
      remedy: 'Put both there, or neither',
    })
  }
  if (ca) readAuthority(ca, `ca.crt of ${title}`)
  if (cert && key) checkPair(cert, key, title)
  return {
    ...(ca && { certificateAuthority: ca }),
    ...(cert && key && { clientCertificate: { cert, key } }),
  }
}

function checkPair(cert: string, key: string, title: string): void {
  let belongs = false
  try {
    belongs = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
  } catch {
    // said below; the cause might quote the key
  }
  if (belongs) return
  throw new TagwardenError(
    'ERR_CERTIFICATE',
    `tls.crt and tls.key of ${title} are no certificate with its key`,
    { remedy: 'Put the certificate and its key there, in PEM form, the key without a passphrase' },
  )
}

function readProxy(texts: ReadonlyMap<string, string>, title: string): HeldSecret['proxy'] {
  const address = texts.get('address')?.trim()
  if (address === undefined) return undefined
  const url = URL.parse(address)
  const plain = url?.pathname === '/' && url.search === '' && url.username + url.password === ''
  if (url === null || !/^https?:$/.test(url.protocol) || !plain) {
    throw new TagwardenError('ERR_CREDENTIALS', `address of ${title} is no proxy's`, {
      remedy: 'Write it as http://host:port; username and password are keys of their own',
    })
  }
  const username = texts.get('username')
  const password = texts.get('password') ?? ''
  if (!username) return { address }
  basicCredential(username, password, title)
  return { address, username, password }
}

function textsOf(data: Secret['data']): ReadonlyMap<string, string> {
  const entries = Object.entries(data ?? {}).filter(([, value]) => typeof value === 'string')
  return new Map(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
}

/** Of an error that is not ours, only that there is one: it may quote anything. */
function wordsFor(error: unknown, title: string): string {
  return error instanceof TagwardenError ? describeError(error) : `${title} cannot be read`
}
