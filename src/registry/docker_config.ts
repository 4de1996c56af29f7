import { TagwardenError } from '../errors.ts'
import { basicCredential, type Credential, tokenCredential } from './credential.ts'
import { type HostPattern, hostPattern } from './host_pattern.ts'
import { fieldsOf } from './json_body.ts'

/** A Docker configuration file, parsed: where the credentials of which registry are. */
export interface DockerConfig {
  /**
   * What the entry of the longest key that covers the repository holds.
   *
   * @throws TagwardenError ERR_CREDENTIALS when that entry is broken
   */
  stored(host: string, path: string): Credential | undefined
  /** the credential helper to ask for this host, by the end of its name */
  helper(host: string): string | undefined
  /** what is wrong with entries, which does no harm to the others */
  readonly problems: readonly TagwardenError[]
}

interface Entry {
  readonly host: HostPattern
  /** with a slash before and after */
  readonly path: string
  readonly length: number
  /** undefined: nothing in it */
  readonly held: Credential | TagwardenError | undefined
}

/** Docker Hub under the names that it goes by in these files. */
const HUB = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])
/** More is no file that a person keeps. */
const MOST_ENTRIES = 10_000

/**
 * Parses the file's text. Keys may be a host, or a host and a path, and `*` stands for characters
 * of one label of the host, as kubelet reads them.
 *
 * @param file path, for messages, which never hold contents
 * @param form `legacy`: a `.dockercfg`, which holds the entries themselves
 * @throws TagwardenError ERR_CREDENTIALS
 */
export function parseDockerConfig(
  text: string,
  file: string,
  form: 'config' | 'legacy' = 'config',
): DockerConfig {
  const content = fieldsOf(parseJson(text, file))
  const listed = Object.entries(fieldsOf(form === 'legacy' ? content : content.auths))
  if (listed.length > MOST_ENTRIES) {
    throw new TagwardenError('ERR_CREDENTIALS', `${file} holds more than ${MOST_ENTRIES} entries`)
  }
  const entries = listed.map(([key, entry]) => readEntry(key, fieldsOf(entry), file))
  entries.sort((a, b) => Number(a.host.glob) - Number(b.host.glob) || b.length - a.length)
  const helpers = new Map(
    Object.entries(fieldsOf(content.credHelpers)).map(([key, name]) => [
      normalizeKey(key)[0],
      name,
    ]),
  )
  return {
    stored(host, path) {
      const [wanted] = normalizeKey(host)
      const within = `/${path}/`
      for (const entry of entries) {
        if (!within.startsWith(entry.path) || !entry.host.covers(wanted)) continue
        if (entry.held instanceof TagwardenError) throw entry.held
        if (entry.held !== undefined) return entry.held
      }
      return undefined
    },
    helper(host) {
      const name = helpers.get(normalizeKey(host)[0]) ?? content.credsStore
      return typeof name === 'string' && name !== '' ? name : undefined
    },
    problems: entries.flatMap(({ held }) => (held instanceof TagwardenError ? held : [])),
  }
}

/** What a helper calls the host: Docker Hub has a name of its own. */
export function helperServer(host: string): string {
  return HUB.has(host) ? 'https://index.docker.io/v1/' : host
}

/** `https://index.docker.io/v1/`, `host`, `host/path`: host, and path without version and slashes. */
function normalizeKey(key: string): readonly [host: string, path: string] {
  const bare = key.replace(/^https?:\/\//i, '')
  const slash = bare.indexOf('/')
  const host = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase()
  const path = slash < 0 ? '' : bare.slice(slash).replace(/^\/v[12](?=\/|$)/, '')
  return [HUB.has(host) ? 'docker.io' : host, path.replace(/^\/+|\/+$/g, '')]
}

function readEntry(key: string, entry: Record<string, unknown>, file: string): Entry {
  const [host, path] = normalizeKey(key)
  const place = { host: hostPattern(host), path: path === '' ? '/' : `/${path}/` }
  const length = host.length + path.length
  try {
    return { ...place, length, held: readCredential(entry, key, file) }
  } catch (error) {
    if (!(error instanceof TagwardenError)) throw error
    return { ...place, length, held: error }
  }
}

function readCredential(
  entry: Record<string, unknown>,
  key: string,
  file: string,
): Credential | undefined {
  const name = key.replace(/[^\x21-\x7e]+/g, '?').slice(0, 100)
  const source = `the entry ${name} of ${file}`
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
        remedy: `Log in to ${name} again`,
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
