/**
 * What the index calls a repository: its normalised name for what the installation's own access
 * has read, else the name, a space, and the id of the access. Neither holds a space, so no two
 * repositories share a key.
 *
 * @example
 *   repositoryKey('ghcr.io/acme/web', undefined) // 'ghcr.io/acme/web'
 *   repositoryKey('ghcr.io/acme/web', 'shop/regcred') // 'ghcr.io/acme/web shop/regcred'
 */
export function repositoryKey(name: string, accessId: string | undefined): string {
  return accessId === undefined ? name : `${name} ${accessId}`
}

/** The normalised name of a key's repository. */
export function nameOfKey(key: string): string {
  const space = key.indexOf(' ')
  return space < 0 ? key : key.slice(0, space)
}

/** The id of the access that a key stands for; undefined: the installation's own. */
export function accessOfKey(key: string): string | undefined {
  const space = key.indexOf(' ')
  return space < 0 ? undefined : key.slice(space + 1)
}

/** A key in words: `ghcr.io/acme/web (as shop/regcred)`. */
export function describeKey(key: string): string {
  const access = accessOfKey(key)
  return access === undefined ? key : `${nameOfKey(key)} (as ${access})`
}
