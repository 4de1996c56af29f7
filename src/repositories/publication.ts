import { LRUCache } from 'lru-cache'
import { type Catalog, nameOfKey } from '../catalog/index.ts'
import { type Cluster, hasReason, IMAGE_REPOSITORIES } from '../cluster/index.ts'
import type { FactFailure, FactSource } from '../decisions/ports.ts'
import { describeError } from '../errors.ts'
import type { ImageRepositoryStatus, PolicySet } from '../policies/types.ts'
import { backgroundLane } from '../scheduling/index.ts'
import { indexSum } from './adoption.ts'
import { policiesFor } from './managed.ts'
import { rankedTags, selectionsOf } from './selection.ts'
import { type Selection, statusOf } from './status.ts'
import { halfOf, isWorthWriting, newsOf, statusPatch } from './status_patch.ts'
import { keyOfId, mayConfigure, type Tracked, type TrackedRepositories } from './tracked.ts'
import type { RepositoryLog } from './types.ts'

/** A compressed index larger than this, in bytes, is not put into a status. */
const LARGEST_INDEX = 256 * 1024
/** Of so many objects it is remembered what was last written. */
const SIZE = 20_000

export interface PublicationOptions {
  readonly cluster: Cluster
  readonly catalog: Catalog
  readonly tracked: TrackedRepositories
  readonly policies: () => PolicySet
  readonly ownNamespace: string
  /** asks the registry; names in needs are keys of the catalog */
  readonly gather: FactSource['gather']
  readonly failureOf: (key: string) => FactFailure | undefined
  /** of the annotation that asked for a scan which was made */
  readonly handledScan: (id: string) => string | undefined
  /** an index was written: it need not be adopted */
  readonly onIndex: (id: string, sum: string) => void
  readonly log: RepositoryLog
  readonly clock: () => number
}

/**
 * Makes the function that writes the status of one ImageRepository, if that says something new.
 *
 * @returns whether it was written, or rejects when that is to be tried again
 */
export function createPublication(options: PublicationOptions): (id: string) => Promise<boolean> {
  const { cluster, catalog, tracked, policies, log, clock } = options
  const written = new LRUCache<string, { readonly news: string; readonly at: number }>({
    max: SIZE,
  })
  let isRefused = false

  /** The same again: the watch is late, or the API server drops what an older CRD does not know. */
  function isEcho(id: string, news: string, interval: string): boolean {
    const last = written.get(id)
    return news !== '' && last?.news === news && clock() - last.at < halfOf(interval)
  }

  async function select(one: Tracked, key: string): Promise<readonly Selection[]> {
    const { namespace } = one.object.metadata
    const isKnown = (catalog.get(key)?.scannedAt ?? 0) > 0
    if (!isKnown || one.fault) return one.object.status?.selections ?? []
    const source: FactSource = {
      snapshot: () => catalog.get(key),
      gather: (need, signal) => options.gather({ ...need, name: key }, signal),
    }
    const covering = policiesFor(policies(), key, namespace)
    const lane = backgroundLane(namespace)
    return selectionsOf(nameOfKey(key), covering, source, clock, lane)
  }

  async function statusNow(one: Tracked): Promise<ImageRepositoryStatus> {
    const { key, object, fault, id } = one
    const selections = key === undefined ? [] : await select(one, key)
    const snapshot = key === undefined ? undefined : catalog.get(key)
    const [first] = key === undefined ? [] : policiesFor(policies(), key, object.metadata.namespace)
    return statusOf({
      object,
      snapshot,
      failure: key === undefined ? undefined : options.failureOf(key),
      fault,
      selections,
      ranked: await rankedTags(first, snapshot, backgroundLane(object.metadata.namespace)),
      governs: mayConfigure(one, options.ownNamespace),
      handledScan: options.handledScan(id) ?? object.status?.lastHandledScan,
      now: clock(),
    })
  }

  async function pack(one: Tracked): Promise<Pick<ImageRepositoryStatus, 'index' | 'indexBytes'>> {
    const { key } = one
    const isShared = key !== undefined && mayConfigure(one, options.ownNamespace)
    const packed = isShared ? await catalog.pack(key) : undefined
    if (!packed) return {}
    const index = packed.length <= LARGEST_INDEX ? packed.toString('base64') : undefined
    return { ...(index !== undefined && { index }), indexBytes: packed.length }
  }

  return async (id) => {
    const one = tracked.get(id)
    if (!one || one.isPending) return false
    const before = one.object.status
    const after = await statusNow(one)
    if (!isWorthWriting(before, after, one.object.spec.interval ?? '10m')) return false
    const interval = one.object.spec.interval ?? '10m'
    const news = newsOf(statusPatch(before, after))
    if (isEcho(id, news, interval)) return false
    const { index, indexBytes } = await pack(one)
    const status = {
      ...statusPatch(before, { ...after, ...(indexBytes !== undefined && { indexBytes }) }),
      index: index ?? null,
    }
    const body = { metadata: { uid: one.object.metadata.uid }, status }
    try {
      // The sum comes first: the watch may tell of the write before it is answered.
      options.onIndex(id, indexSum(index))
      const patch = { type: 'merge', body } as const
      await cluster.patch(IMAGE_REPOSITORIES, keyOfId(id), patch, { subresource: 'status' })
      written.set(id, { news, at: clock() })
      isRefused = false
      return true
    } catch (error) {
      // It is gone, or another one has its name now, of which the watch tells.
      if (hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) return true
      const isForbidden = hasReason(error, 'Forbidden')
      if (!isForbidden && !hasReason(error, 'Invalid')) throw error
      if (!isRefused) {
        const message = `what is read of registries is not shared: ${describeError(error)}`
        log.warn({ code: 'ERR_CLUSTER' }, message)
      }
      isRefused = true
      if (isForbidden) throw error
      return true
    }
  }
}
