import { TagwardenError } from '../errors.ts'
import { basicCredential, type Credential, tokenCredential } from './credential.ts'

/** A Docker configuration file, parsed: where the credentials of which registry are. */
export interface DockerConfig {
  /** the entry of the longest key that covers the repository */
  stored(host: string, path: string): Credential | undefined
  /** the credential helper to ask for this host, by the end of its name */
  helper(host: string): string | undefined
}

/** Docker Hub under the names that it goes by in these files. */
const HUB = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

/**
 * Parses the file's text. Entries are checked when they are used, so a broken one of another
 * registry does no harm.
 *
 * @param file path, for messages, which never hold contents
 * @throws TagwardenError ERR_CREDENTIALS
 */
export function parseDockerConfig(text: string, file: string): DockerConfig {
  const content = record(parseJson(text, file))
  const auths = Object.entries(record(content.auths))
    .map(([key, entry]) => ({ key: normalizeKey(key), entry: record(entry) }))
    .sort((a, b) => b.key.length - a.key.length)
  const helpers = new Map(
    Object.entries(record(content.credHelpers)).map(([key, name]) => [normalizeKey(key), name]),
  )
  return {
    stored(host, path) {
      const name = `${normalizeKey(host)}/${path}/`
      for (const { key, entry } of auths) {
        const credential = name.startsWith(`${key}/`) ? readEntry(entry, key, file) : undefined
        if (credential !== undefined) return credential
      }
      return undefined
    },
    helper(host) {
      const name = helpers.get(normalizeKey(host)) ?? content.credsStore
      return typeof name === 'string' && name !== '' ? name : undefined
    },
  }
}

/** What a helper calls the host: Docker Hub has a name of its own. */
export function helperServer(host: string): string {
  return HUB.has(host) ? 'https://index.docker.io/v1/' : host
}

/** `https://index.docker.io/v1/`, `host`, `host/path`: without scheme, version and last slash. */
function normalizeKey(key: string): string {
  const bare = key
    .replace(/^https?:\/\//i, '')
    .replace(/\/+$/, '')
    .replace(/\/v[12]$/, '')
  const slash = bare.indexOf('/')
  const host = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase()
  return (HUB.has(host) ? 'docker.io' : host) + (slash < 0 ? '' : bare.slice(slash))
}

function readEntry(
  entry: Record<string, unknown>,
  key: string,
  file: string,
): Credential | undefined {
  const source = `the entry ${key} of ${file}`
  const { auth, username, password, identitytoken, registrytoken } = entry
  if (filled(identitytoken)) return tokenCredential('identity', identitytoken, source)
  if (filled(registrytoken)) return tokenCredential('bearer', registrytoken, source)
  if (filled(username) && typeof password === 'string') {
    return basicCredential(username, password, source)
  }
  if (!filled(auth)) return undefined
  const decoded = Buffer.from(auth, 'base64').toString()
  const colon = decoded.indexOf(':')
  if (colon < 1 || decoded.includes('\ufffd')) {
    throw new TagwardenError(
      'ERR_CREDENTIALS',
      `auth in ${source} is not base64 of user:password`,
      {
        remedy: `Log in to ${key} again`,
      },
    )
  }
  return basicCredential(decoded.slice(0, colon), decoded.slice(colon + 1), source)
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // no cause: the message of JSON.parse quotes its input
    throw new TagwardenError('ERR_CREDENTIALS', `${file} is not JSON`, {
      remedy: 'Put a Docker configuration file there, as docker login writes it',
    })
  }
}

function filled(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
