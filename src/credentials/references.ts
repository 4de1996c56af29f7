import { isSecretName } from './access_id.ts'

/** Who refers to which Secrets. */
export interface References {
  /** @returns the namespaces in which something has changed */
  set(owner: string, namespace: string, names: Iterable<string>): readonly string[]
  /** Each once, in byte order; at most so many that one namespace cannot use up the connections. */
  of(namespace: string): readonly string[]
}

const MOST_NAMES = 100

export function createReferences(): References {
  const byOwner = new Map<string, string>()
  const byNamespace = new Map<string, Map<string, readonly string[]>>()

  function remove(owner: string, namespace: string): void {
    const owners = byNamespace.get(namespace)
    owners?.delete(owner)
    if (owners?.size === 0) byNamespace.delete(namespace)
  }

  return {
    set(owner, namespace, names) {
      const wanted = [...new Set(names)].filter(isSecretName)
      const before = byOwner.get(owner)
      if (before !== undefined) remove(owner, before)
      byOwner.delete(owner)
      if (wanted.length > 0) {
        byOwner.set(owner, namespace)
        const owners = byNamespace.get(namespace) ?? new Map()
        byNamespace.set(namespace, owners.set(owner, wanted))
      }
      return [...new Set([namespace, before ?? namespace])]
    },
    of(namespace) {
      const names = [...(byNamespace.get(namespace)?.values() ?? [])].flat()
      return [...new Set(names)].sort().slice(0, MOST_NAMES)
    },
  }
}
