import {
  type Cluster,
  type KubernetesObject,
  keyText,
  type ObjectKey,
  type ResourceName,
  type WatchHandlers,
} from '../cluster/index.ts'

/** A resource that is followed, whether it is served or not. */
export interface ServedWatch {
  /** whether its CRD is there; undefined: not known yet */
  readonly served: () => boolean | undefined
  /** all that was there in the beginning has been told, or it is known that nothing can be */
  readonly isSynced: () => boolean
  readonly synced: Promise<void>
  close(): Promise<void>
}

/**
 * Watches a resource for as long as its CRD is there, in the first of these versions that the API
 * server serves. When the CRD goes away, so do all its objects.
 *
 * @param needed whether to wait for the CRD in the beginning, rather than to go on without it
 */
export function watchServed<T extends KubernetesObject>(
  cluster: Pick<Cluster, 'watch' | 'whenServed'>,
  versions: readonly ResourceName[],
  handlers: WatchHandlers<T>,
  needed = false,
): ServedWatch {
  const served = new Map<ResourceName, boolean>()
  const synced = Promise.withResolvers<void>()
  let isSynced = false
  let told = new Map<string, ObjectKey>()
  let active: { readonly resource: ResourceName; close(): Promise<void> } | undefined

  function done(): void {
    isSynced = true
    synced.resolve()
  }

  function forget(keys: ReadonlyMap<string, ObjectKey>): void {
    for (const key of keys.values()) handlers.remove(key)
  }

  function choose(): void {
    // an older version is not read before it is known that the newer one is not there
    const next = versions.find((each) => served.get(each) !== false)
    if (next !== undefined && served.get(next) === undefined) return
    if (next !== undefined && next === active?.resource) return
    void active?.close()
    active = undefined
    if (next !== undefined) {
      follow(next)
      return
    }
    const gone = told
    told = new Map()
    forget(gone)
    if (!needed) done()
  }

  function follow(resource: ResourceName): void {
    const before = told
    told = new Map()
    const mine = { resource, close: () => watching.close() }
    const ifActive = (run: () => void) => {
      if (active === mine) run()
    }
    active = mine
    const watching = cluster.watch<T>(
      resource,
      {},
      {
        upsert: (object) =>
          ifActive(() => {
            const { namespace, name } = object.metadata
            const key = namespace === undefined ? { name } : { namespace, name }
            before.delete(keyText(key))
            told.set(keyText(key), key)
            handlers.upsert(object)
          }),
        remove: (key) =>
          ifActive(() => {
            told.delete(keyText(key))
            handlers.remove(key)
          }),
        problem: (error) => ifActive(() => handlers.problem?.(error)),
        recovered: () => ifActive(() => handlers.recovered?.()),
      },
    )
    void watching.synced.then(() =>
      ifActive(() => {
        forget(before)
        before.clear()
        done()
      }),
    )
  }

  const stops = versions.map((resource) =>
    cluster.whenServed(resource, (is) => {
      served.set(resource, is)
      choose()
    }),
  )
  return {
    served: () =>
      active ? true : versions.every((each) => served.get(each) === false) ? false : undefined,
    isSynced: () => isSynced,
    synced: synced.promise,
    close: async () => {
      for (const stop of stops) stop()
      const last = active
      active = undefined
      await last?.close()
    },
  }
}
