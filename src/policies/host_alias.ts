/** Docker Hub, and the hosts at which its API answers too. */
const HUB = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

/**
 * The names under which policies look for a repository, in lower case: its own and, where its host
 * is another name of the same registry (Docker Hub's API, or with HTTPS's own port), the usual one.
 *
 * @example
 *   repositoryNames('ghcr.io:443/acme/web') // ['ghcr.io:443/acme/web', 'ghcr.io/acme/web']
 */
export function repositoryNames(name: string): readonly string[] {
  const lower = name.toLowerCase()
  const slash = lower.indexOf('/')
  const written = lower.slice(0, Math.max(slash, 0))
  const host = written.endsWith(':443') ? written.slice(0, -':443'.length) : written
  const path = lower.slice(slash + 1)
  const official = HUB.has(host) && !path.includes('/') ? 'library/' : ''
  const usual = `${HUB.has(host) ? 'docker.io' : host}/${official}${path}`
  return usual === lower || slash < 0 ? [lower] : [lower, usual]
}
