import { accessOfKey, type Catalog, nameOfKey } from '../catalog/index.ts'
import type { FactFailure, RepositorySnapshot } from '../decisions/index.ts'

/** Of so many repositories that were never read it is remembered why. */
const MOST_FAILURES = 10_000

/** What is known of a repository, as far as a policy may show it. */
export interface Known {
  readonly snapshot: RepositorySnapshot | undefined
  /** why its tags could not be read the last time */
  readonly failure: FactFailure | undefined
}

/** The repositories of the index by their names. */
export interface KnownRepositories {
  names(): Iterable<string>
  /**
   * What a policy of this namespace may show: what the installation has read, and what Secrets of
   * the namespace have. A policy of the cluster shows nothing that only a namespace can read.
   *
   * @returns undefined for a repository that others have read
   */
  find(name: string, namespace: string | undefined): Known | undefined
  /** A list of tags was asked for. */
  note(key: string, failure: FactFailure | undefined): void
}

/** Goes through the index once; from then on note() tells of what is new. */
export function knownRepositories(catalog: Pick<Catalog, 'get' | 'keys'>): KnownRepositories {
  const keys = new Map<string, Set<string>>()
  const failures = new Map<string, FactFailure>()
  for (const key of catalog.keys()) add(key)

  function add(key: string): void {
    const name = nameOfKey(key)
    const known = keys.get(name)
    if (known) known.add(key)
    else keys.set(name, new Set([key]))
  }

  function lookAt(key: string): Known {
    const snapshot = catalog.get(key)
    return { snapshot, failure: snapshot?.failure ?? failures.get(key) }
  }

  return {
    names: () => keys.keys(),
    find(name, namespace) {
      const all = [...(keys.get(name) ?? [])]
      const visible = all.filter((key) => isVisible(key, namespace)).map(lookAt)
      const read = visible.filter(({ snapshot }) => isRead(snapshot))
      if (read.length > 0) return read.reduce((best, each) => (isLater(each, best) ? each : best))
      if (all.some((key) => !isVisible(key, namespace) && isRead(catalog.get(key))))
        return undefined
      return visible.find(({ failure }) => failure) ?? { snapshot: undefined, failure: undefined }
    },
    note(key, failure) {
      add(key)
      failures.delete(key)
      if (failure && failures.size < MOST_FAILURES) failures.set(key, failure)
    },
  }
}

function isVisible(key: string, namespace: string | undefined): boolean {
  const access = accessOfKey(key)
  return access === undefined || (namespace !== undefined && access.startsWith(`${namespace}/`))
}

function isRead(snapshot: RepositorySnapshot | undefined): boolean {
  return (snapshot?.scannedAt ?? 0) > 0
}

function isLater(a: Known, b: Known): boolean {
  return (a.snapshot?.scannedAt ?? 0) > (b.snapshot?.scannedAt ?? 0)
}
