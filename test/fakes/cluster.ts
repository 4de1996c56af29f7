import { WORKLOADS } from '../../src/cluster/index.ts'
import type {
  Cluster,
  KubernetesObject,
  ListOptions,
  ObjectKey,
  ResourceName,
  WatchHandlers,
  Watching,
  WriteOptions,
} from '../../src/cluster/types.ts'
import {
  createObjectStore,
  failure,
  keyText,
  resourceText,
  type StoredObject,
} from './object_store.ts'
import { isListed } from './selector.ts'

export type FakeVerb = 'get' | 'list' | 'create' | 'replace' | 'patch' | 'remove' | 'watch'

/** What the cluster was asked, answered or not. */
export interface FakeCall {
  readonly verb: FakeVerb
  /** such as `pods`, or `deployments.apps/status` */
  readonly resource: string
  /** `namespace/name`, or what of it there is */
  readonly key: string
  /** the object or the patch */
  readonly body?: unknown
}

/** A Cluster in memory. What it gives out are copies. */
export interface FakeCluster extends Cluster {
  readonly calls: FakeCall[]
  /** while it is false, nothing is answered, and watches say so */
  available: boolean
  /** Makes or replaces an object as if another one did, status included. Gives what is stored. */
  put<T extends KubernetesObject>(resource: ResourceName, object: T): T
  /** Deletes as if another one did. */
  drop(resource: ResourceName, key: ObjectKey): void
  /** What is stored now, in order of creation. */
  all<T extends KubernetesObject>(resource: ResourceName, options?: ListOptions): T[]
  /**
   * Refuses such calls with a reason such as Forbidden or Conflict: all, or so many `times`, or
   * those for a `name`. Returns how to end that.
   */
  refuse(
    verb: FakeVerb,
    resource: ResourceName,
    reason: string,
    options?: { readonly times?: number; readonly name?: string },
  ): () => void
  /** From now on this version of it is served or not; all are, unless told otherwise. */
  serve(resource: ResourceName, served: boolean): void
}

interface FakeWatch {
  readonly id: string
  look(): void
  change(object: StoredObject, removed: boolean): void
  close(): void
}

/**
 * Makes one. It keeps what the real one promises: resource versions that conflict, uids,
 * generations that count changes of the specification, status apart from the rest, watches that
 * tell of changes a moment later, writes that change nothing and tell of nothing.
 *
 * @example
 *   const cluster = createFakeCluster({ namespace: 'tagwarden' })
 *   cluster.put(NAMESPACES, { metadata: { name: 'shop' } })
 *   cluster.refuse('patch', DEPLOYMENTS, 'Conflict', { times: 1 })
 */
export function createFakeCluster(
  options: { readonly namespace?: string; readonly clock?: () => number } = {},
): FakeCluster {
  const { namespace = 'tagwarden', clock = Date.now } = options
  const calls: FakeCall[] = []
  const refusals = new Set<{
    readonly call: string
    readonly reason: string
    readonly name: string | undefined
    left: number
  }>()
  const unserved = new Set<string>()
  const servedListeners = new Set<() => void>()
  const watches = new Set<FakeWatch>()
  let available = true
  const store = createObjectStore(clock, (resource, object, removed) => {
    const id = resourceText(resource)
    for (const each of watches) if (each.id === id) each.change(object, removed)
  })

  function refusalOf(
    verb: FakeVerb,
    resource: ResourceName,
    name: string | undefined,
  ): Error | undefined {
    const id = resourceText(resource)
    if (!available) return failure('Unreachable', 'the API server does not answer')
    if (unserved.has(versioned(resource))) return failure('NotFound', `${id} is not served`)
    for (const each of refusals) {
      if (each.call !== `${verb} ${id}` || (each.name ?? name) !== name || each.left <= 0) continue
      each.left -= 1
      return failure(each.reason, `${id} is forbidden by the test: ${each.reason}`)
    }
    return undefined
  }

  async function call<R>(
    verb: FakeVerb,
    resource: ResourceName,
    key: Partial<ObjectKey>,
    work: () => R,
    more: { readonly subresource?: string | undefined; readonly body?: unknown } = {},
  ): Promise<R> {
    const id = resourceText(resource)
    const { subresource, body } = more
    calls.push({
      verb,
      resource: subresource === undefined ? id : `${id}/${subresource}`,
      key: [key.namespace, key.name].filter(Boolean).join('/'),
      ...(body !== undefined && { body: structuredClone(body) }),
    })
    const refusal = refusalOf(verb, resource, key.name)
    if (refusal) throw refusal
    return work()
  }

  const listed = <T>(resource: ResourceName, options: ListOptions): T[] =>
    store.all(resource).filter((each) => isListed(each, options)) as T[]

  function watch<T extends KubernetesObject>(
    resource: ResourceName,
    options: ListOptions,
    handlers: WatchHandlers<T>,
  ): Watching {
    const id = resourceText(resource)
    const told = new Map<string, string>()
    const synced = Promise.withResolvers<void>()
    let isSynced = false
    let state: 'new' | 'good' | 'bad' | 'closed' = 'new'

    function tell(run: () => void): void {
      queueMicrotask(() => {
        try {
          if (state !== 'closed') run()
        } catch {
          // what a handler does wrong does not end a watch
        }
      })
    }
    function upsert(object: StoredObject): void {
      const { uid, resourceVersion } = object.metadata
      const stamp = `${uid} ${resourceVersion}`
      if (told.get(keyText(object.metadata)) === stamp) return
      told.set(keyText(object.metadata), stamp)
      tell(() => handlers.upsert(structuredClone(object) as KubernetesObject as T))
    }
    function remove(key: string): void {
      if (!told.delete(key)) return
      const [name = '', of] = key.split('/').reverse()
      tell(() => handlers.remove(of === undefined ? { name } : { namespace: of, name }))
    }
    const entry: FakeWatch = {
      id,
      look() {
        if (state === 'closed') return
        calls.push({ verb: 'watch', resource: id, key: options.namespace ?? '' })
        const refusal = refusalOf('watch', resource, undefined)
        if (refusal) {
          if (state !== 'bad') tell(() => handlers.problem?.(refusal))
          state = 'bad'
          return
        }
        if (state === 'bad') tell(() => handlers.recovered?.())
        state = 'good'
        const now = listed<StoredObject>(resource, options)
        const keys = new Set(now.map((each) => keyText(each.metadata)))
        for (const key of [...told.keys()]) if (!keys.has(key)) remove(key)
        for (const each of now) upsert(each)
        tell(() => {
          isSynced = true
          synced.resolve()
        })
      },
      change(object, removed) {
        if (state !== 'good') return
        if (removed || !isListed(object, options)) remove(keyText(object.metadata))
        else upsert(object)
      },
      close() {
        state = 'closed'
        watches.delete(entry)
      },
    }
    options.signal?.addEventListener('abort', entry.close, { once: true })
    watches.add(entry)
    queueMicrotask(entry.look)
    return {
      synced: synced.promise,
      isSynced: () => isSynced,
      close: async () => entry.close(),
    }
  }

  const lookAgain = (id?: string) => {
    for (const each of watches) if (id === undefined || each.id === id) each.look()
  }
  const key = ({ namespace: of, name }: ObjectKey): ObjectKey => ({ namespace: of, name })

  return {
    server: 'https://cluster.test:6443',
    namespace,
    calls,
    get available() {
      return available
    },
    set available(value) {
      available = value
      lookAgain()
    },
    get: <T>(resource: ResourceName, at: ObjectKey) =>
      call('get', resource, at, () => store.get(resource, at) as T | undefined),
    async *pages<T>(resource: ResourceName, options: ListOptions = {}) {
      const { namespace: of } = options
      const all = await call('list', resource, { namespace: of }, () =>
        listed<T>(resource, options),
      )
      for (let at = 0; at === 0 || at < all.length; at += 500) yield all.slice(at, at + 500)
    },
    count: (resource, options = {}) =>
      call(
        'list',
        resource,
        { namespace: options.namespace },
        () => listed(resource, options).length,
      ),
    create: <T extends KubernetesObject>(
      resource: ResourceName,
      object: T,
      options?: WriteOptions,
    ) =>
      call(
        'create',
        resource,
        key(object.metadata),
        () => store.create(resource, object, options),
        {
          body: object,
        },
      ) as Promise<KubernetesObject> as Promise<T>,
    replace: <T extends KubernetesObject>(
      resource: ResourceName,
      object: T,
      options?: WriteOptions,
    ) =>
      call(
        'replace',
        resource,
        key(object.metadata),
        () => store.replace(resource, object, options),
        { body: object, subresource: options?.subresource },
      ) as Promise<KubernetesObject> as Promise<T>,
    patch: (resource, at, patch, options) =>
      call('patch', resource, at, () => store.patch(resource, at, patch, options) as never, {
        body: patch,
        subresource: options?.subresource,
      }),
    remove: (resource, at, options) =>
      call('remove', resource, at, () => store.remove(resource, at, options)),
    watch,
    serves: async (resource) => {
      if (!available) throw failure('Unreachable', 'the API server does not answer')
      return !unserved.has(versioned(resource))
    },
    find: async ({ group, kind }) =>
      WORKLOADS.find((each) => each.group === group && each.kind === kind),
    whenServed(resource, listener) {
      let last: boolean | undefined
      const look = () => {
        const served = !unserved.has(versioned(resource))
        if (served === last) return
        last = served
        queueMicrotask(() => {
          if (servedListeners.has(look)) listener(served)
        })
      }
      servedListeners.add(look)
      look()
      return () => servedListeners.delete(look)
    },
    close: async () => {
      for (const each of [...watches]) each.close()
      servedListeners.clear()
    },
    put: (resource, object) => store.put(resource, object) as KubernetesObject as never,
    drop: (resource, at) => void store.remove(resource, at),
    all: (resource, options = {}) => listed(resource, options),
    refuse(verb, resource, reason, { times = Number.POSITIVE_INFINITY, name } = {}) {
      const refusal = { call: `${verb} ${resourceText(resource)}`, reason, name, left: times }
      refusals.add(refusal)
      return () => {
        refusals.delete(refusal)
        lookAgain(resourceText(resource))
      }
    },
    serve(resource, served) {
      const id = resourceText(resource)
      if (served) unserved.delete(versioned(resource))
      else unserved.add(versioned(resource))
      for (const look of servedListeners) look()
      lookAgain(id)
    },
  }
}

/** Versions of a resource are served apart, but the objects are the same. */
function versioned(resource: ResourceName): string {
  return `${resource.version} ${resourceText(resource)}`
}
