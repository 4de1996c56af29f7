import { accessOfKey, nameOfKey } from '../catalog/index.ts'
import type { ObjectKey } from '../cluster/types.ts'
import { compareTexts } from '../pieces/index.ts'
import { isManaged } from './managed.ts'
import { type Reading, readingOf } from './reading.ts'
import { type ImageRepository, type RepositorySecrets, SCAN_ANNOTATIONS } from './types.ts'

/** An ImageRepository as it is kept: without its index, and without what nobody here reads. */
export interface Tracked extends Reading {
  /** `namespace/name` */
  readonly id: string
  readonly object: ImageRepository
}

/** The ImageRepositories that there are, by their ids and by what they read. */
export interface TrackedRepositories {
  get(id: string): Tracked | undefined
  all(): IterableIterator<Tracked>
  size(): number
  /** of a catalog key, the one that says how it is scanned first */
  ofKey(key: string): readonly Tracked[]
  /** whether one of them is trusted with what all replicas know under a key */
  isGoverned(key: string): boolean
  /** the one of a namespace that is about a repository, the oldest if there are several */
  inNamespace(namespace: string, name: string): Tracked | undefined
  /** of the catalog, those that can be scanned */
  keys(): Iterable<string>
  /** Whether an object says the same as when it was taken, but for its status. */
  isKnown(object: ImageRepository): boolean
  /**
   * Takes a new or changed object.
   *
   * @returns `before`: what was kept of it; `now.settings` are the same while its spec is
   */
  set(object: ImageRepository): { readonly before: Tracked | undefined; readonly now: Tracked }
  /** Asks again by which access an object is read. */
  renew(id: string): { readonly before: Tracked; readonly now: Tracked } | undefined
  delete(id: string): Tracked | undefined
}

/** @param ownNamespace where objects speak for the installation's own access */
export function trackRepositories(
  ownNamespace: string,
  secrets: Pick<RepositorySecrets, 'repositoryAccess' | 'isReady'>,
): TrackedRepositories {
  const byId = new Map<string, Tracked>()
  const byKey = new Map<string, readonly Tracked[]>()
  const byPlace = new Map<string, readonly Tracked[]>()

  function link(one: Tracked): void {
    const { key } = one
    if (key === undefined) return
    add(byKey, key, one, (a, b) => rank(a) - rank(b) || byAge(a, b))
    add(byPlace, placeOf(one.object.metadata.namespace, key), one, byAge)
  }

  function unlink(one: Tracked): void {
    const { key } = one
    if (key === undefined) return
    take(byKey, key, one)
    take(byPlace, placeOf(one.object.metadata.namespace, key), one)
  }

  /** A tenant's object must not say how all others' facts are read. */
  function rank(one: Tracked): number {
    return mayConfigure(one, ownNamespace) ? Number(isManaged(one.object)) : 2
  }

  function isKnown({ metadata }: ImageRepository): boolean {
    const { uid, generation } = byId.get(idOf(metadata))?.object.metadata ?? {}
    return generation !== undefined && generation === metadata.generation && uid === metadata.uid
  }

  function replace(
    before: Tracked | undefined,
    object: ImageRepository,
    { key, settings, fault, isPending }: Reading,
  ): Tracked {
    const id = idOf(object.metadata)
    const now: Tracked = { id, object: trimmed(object), key, settings, fault, isPending }
    if (before) unlink(before)
    byId.set(id, now)
    link(now)
    return now
  }

  return {
    get: (id) => byId.get(id),
    all: () => byId.values(),
    size: () => byId.size,
    ofKey: (key) => byKey.get(key) ?? [],
    isGoverned(key) {
      const [first] = byKey.get(key) ?? []
      return first !== undefined && mayConfigure(first, ownNamespace)
    },
    inNamespace: (namespace, name) => byPlace.get(placeOf(namespace, name))?.[0],
    keys: () =>
      byKey
        .entries()
        .filter(([, [first]]) => !first?.fault)
        .map(([key]) => key),
    isKnown,
    set(object) {
      const before = byId.get(idOf(object.metadata))
      const reading = before && isKnown(object) ? before : readingOf(object, secrets)
      return { before, now: replace(before, object, reading) }
    },
    renew(id) {
      const before = byId.get(id)
      if (!before) return undefined
      const { object } = before
      return { before, now: replace(before, object, readingOf(object, secrets)) }
    },
    delete(id) {
      const before = byId.get(id)
      byId.delete(id)
      if (before) unlink(before)
      return before
    },
  }
}

type Index = Map<string, readonly Tracked[]>

function add(
  index: Index,
  key: string,
  one: Tracked,
  order: (a: Tracked, b: Tracked) => number,
): void {
  index.set(key, [...(index.get(key) ?? []), one].sort(order))
}

function take(index: Index, key: string, one: Tracked): void {
  const left = (index.get(key) ?? []).filter(({ id }) => id !== one.id)
  if (left.length > 0) index.set(key, left)
  else index.delete(key)
}

function placeOf(namespace: string | undefined, key: string): string {
  return `${namespace ?? ''} ${nameOfKey(key)}`
}

/**
 * Whether an object may say how its key is scanned, and what all replicas know of it: whoever can
 * write to an object of another namespace must not decide for the installation.
 */
export function mayConfigure({ key, object }: Tracked, ownNamespace: string): boolean {
  return accessOfKey(key ?? '') !== undefined || object.metadata.namespace === ownNamespace
}

export function idOf({ namespace, name }: ObjectKey): string {
  return `${namespace ?? ''}/${name}`
}

export function keyOfId(id: string): ObjectKey {
  const [namespace = '', name = ''] = id.split('/')
  return { namespace, name }
}

/** The value of the annotations that ask for a scan at once; undefined when there are none. */
export function requestedScan({ metadata }: ImageRepository): string | undefined {
  const values = SCAN_ANNOTATIONS.map((name) => metadata.annotations?.[name])
  const asked = values.filter((value) => value !== undefined && value !== '')
  return asked.length > 0 ? asked.join(' ').slice(0, 512) : undefined
}

function byAge(a: Tracked, b: Tracked): number {
  const [one = '', other = ''] = [a, b].map((each) => each.object.metadata.creationTimestamp)
  return compareTexts(one, other) || compareTexts(a.id, b.id)
}

function trimmed({ metadata, spec, status }: ImageRepository): ImageRepository {
  const { name, namespace, uid, generation, creationTimestamp, labels, annotations } = metadata
  const kept = {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(generation !== undefined && { generation }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    ...(labels && { labels }),
    ...(annotations && { annotations: onlyScan(annotations) }),
  }
  const { index: _, ...rest } = status ?? {}
  return { metadata: kept, spec, ...(status && { status: rest }) }
}

function onlyScan(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    SCAN_ANNOTATIONS.flatMap((name) => {
      const value = annotations[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
