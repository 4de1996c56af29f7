export const DOCKER_HUB = 'docker.io'
/** Docker Hub, and the hosts at which its API answers too. */
const HUB = new Set([
  DOCKER_HUB,
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
])
/** A host as a URL spells it; reading a URL costs more than all else. */
const USUAL =
  /^(?:(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*|(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2}))(?::(?!443$)[1-9][0-9]*)?$/

/**
 * The names under which policies look for a repository, in lower case: its own and, where its host
 * is another name of the same registry (Docker Hub's API, HTTPS's own port, a port or an address
 * that is spelled in another way), the usual one.
 *
 * @example
 *   repositoryNames('ghcr.io:0443/acme/web') // ['ghcr.io:0443/acme/web', 'ghcr.io/acme/web']
 */
export function repositoryNames(name: string): readonly string[] {
  const lower = name.toLowerCase()
  const slash = lower.indexOf('/')
  const host = usualRegistry(lower.slice(0, Math.max(slash, 0)))
  const path = lower.slice(slash + 1)
  const official = host === DOCKER_HUB && !path.includes('/') ? 'library/' : ''
  const usual = `${host}/${official}${path}`
  return usual === lower || slash < 0 ? [lower] : [lower, usual]
}

/**
 * The usual name of a registry, by whichever one it is written, in lower case.
 *
 * @example
 *   usualRegistry('Registry-1.docker.io:443') // docker.io
 */
export function usualRegistry(host: string): string {
  const lower = host.toLowerCase()
  const usual = USUAL.test(lower) ? lower : usualHost(lower)
  return HUB.has(usual) ? DOCKER_HUB : usual
}

/** As in a URL: no `:443`, no zeros before a port, the shortest form of an address. */
function usualHost(host: string): string {
  return URL.canParse(`https://${host}`) ? new URL(`https://${host}`).host : host
}
