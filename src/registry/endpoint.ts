import { TagwardenError } from '../errors.ts'
import { isPath } from '../images/index.ts'
import type { RegistryAccess, RegistryConnection, RegistrySettings } from './types.ts'

/** Where a registry is spoken to, and how. */
export interface Endpoint {
  /** `host[:port]` as it stands in image names, such as `docker.io` */
  readonly host: string
  /** scheme, host and port of the API, such as `https://registry-1.docker.io` */
  readonly origin: string
  readonly insecure: boolean
  readonly auth: RegistrySettings['auth']
  /** path of a PEM file */
  readonly certificateAuthority: string | undefined
  readonly connection: RegistryConnection | undefined
}

/** A repository at its registry. */
export interface Repository {
  /** the normalised name, for messages */
  readonly name: string
  readonly endpoint: Endpoint
  /** path within the registry, such as `library/nginx` */
  readonly path: string
  /** undefined: as the settings say */
  readonly access: RegistryAccess | undefined
}

/** Docker Hub's images carry one name and its API answers at another. */
const API_HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' }

const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i
/** Longest `host/path`, as the CNCF Distribution's reference grammar has it, plus a host. */
const LONGEST_NAME = 512

/**
 * Takes a normalised name apart and finds the settings of its host.
 *
 * @throws TagwardenError ERR_INVALID_REFERENCE when the name is not a normalised one: nothing
 *   that could change the URL gets through
 */
export function locateRepository(
  name: string,
  settings: readonly RegistrySettings[],
  access?: RegistryAccess,
): Repository {
  const slash = name.indexOf('/')
  const host = name.slice(0, Math.max(slash, 0))
  const path = name.slice(slash + 1)
  if (name.length > LONGEST_NAME || !isHost(host) || !isPath(path)) {
    throw new TagwardenError(
      'ERR_INVALID_REFERENCE',
      `${JSON.stringify(name.slice(0, 100))} is not a normalised repository name`,
      { remedy: 'Write it as host[:port]/path, all in lower case' },
    )
  }
  return { name, path, access, endpoint: endpointOf(host, settings, access?.connection) }
}

function isHost(text: string): boolean {
  return HOST.test(text) && URL.canParse(`https://${text}`)
}

/** The endpoint of a host: HTTPS, unless its settings or the access say `insecure`. */
export function endpointOf(
  host: string,
  settings: readonly RegistrySettings[],
  connection?: RegistryConnection,
): Endpoint {
  const found = settingsOf(host, settings)
  const insecure = found?.insecure === true || connection?.insecure === true
  return {
    host,
    origin: `${insecure ? 'http' : 'https'}://${found?.address ?? API_HOSTS[host] ?? host}`,
    insecure,
    auth: found?.auth,
    certificateAuthority: found?.certificateAuthority,
    connection,
  }
}

/** The settings of a host: the exact entry, else the longest `*.suffix` that covers it. */
export function settingsOf(
  host: string,
  settings: readonly RegistrySettings[],
): RegistrySettings | undefined {
  const wanted = host.toLowerCase()
  let best: RegistrySettings | undefined
  for (const entry of settings) {
    const pattern = entry.host.toLowerCase()
    if (pattern === wanted) return entry
    const covers = pattern.startsWith('*.') && wanted.endsWith(pattern.slice(1))
    if (covers && pattern.length > (best?.host.length ?? 0)) best = entry
  }
  return best
}
