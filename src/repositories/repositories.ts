import { accessOfKey, type Catalog, repositoryKey } from '../catalog/index.ts'
import { type Cluster, IMAGE_REPOSITORIES, type ObjectKey } from '../cluster/index.ts'
import type { FactFailure } from '../decisions/ports.ts'
import { describeError } from '../errors.ts'
import type { PolicySet } from '../policies/types.ts'
import type { Scanner } from '../scanner/index.ts'
import { setUnreferencedTimer, type Timer, untilAborted } from '../scheduling/index.ts'
import { createAdoption, indexSum } from './adoption.ts'
import { createDemand } from './demand.ts'
import { failureIn } from './failures.ts'
import { createLeadership } from './leadership.ts'
import { createPublication } from './publication.ts'
import { secretNames } from './reading.ts'
import { idOf, mayConfigure, type Tracked, trackRepositories } from './tracked.ts'
import type { ImageRepository, RepositoryLog, RepositorySecrets } from './types.ts'

export interface RepositoriesOptions {
  readonly cluster: Cluster
  readonly catalog: Catalog
  /** it scans on its clock while this replica leads, and only then; who starts and stops it, stays */
  readonly scanner: Scanner
  /** the installation's own: an object here without a Secret says how the installation reads */
  readonly namespace: string
  /** those in force now; policiesChanged() tells of others */
  readonly policies: () => PolicySet
  readonly secrets: RepositorySecrets
  /** ms between two scans, of the ImageRepositories that Tagwarden makes */
  readonly interval: number
  readonly log: RepositoryLog
  readonly clock?: () => number
  readonly timer?: Timer
}

/** The ImageRepositories of the cluster as the index that all replicas share. */
export interface Repositories {
  /**
   * A workload uses a repository: after a review that was no dry run, and whenever the promoter
   * looks at what runs. Covered by a policy and not yet scanned, it gets an ImageRepository. Costs
   * a look into a Set.
   *
   * @param accessId by which it was read; undefined: the installation's own
   */
  used(name: string, accessId: string | undefined): void
  /** The policies are others now. */
  policiesChanged(): void
  /** The access of a namespace's own ImageRepository for a repository, if it has one. */
  accessIn(namespace: string, name: string): string | undefined
  /** All that was shared when it started is in the catalog: it answers like the others. */
  isSynced(): boolean
  readonly synced: Promise<void>
  /** why the objects can't be read now */
  problem(): string | undefined
  /** Scans on the clock, writes what was read, makes and removes objects; until the signal aborts. */
  lead(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/**
 * Follows the ImageRepositories of all namespaces: what they say of scanning, and the index that the
 * leader wrote into their status.
 *
 * @example
 *   const repositories = startRepositories({ cluster, catalog, scanner, namespace, … })
 *   await repositories.synced
 *   electLeader(cluster, { onLeading: (signal) => repositories.lead(signal), … })
 */
export function startRepositories(options: RepositoriesOptions): Repositories {
  const { cluster, catalog, scanner, secrets, namespace, policies, log } = options
  const { clock = Date.now, timer = setUnreferencedTimer } = options
  const tracked = trackRepositories(namespace, secrets)
  const failures = new Map<string, FactFailure>()
  const sums = new Map<string, string>()
  const adoption = createAdoption(catalog, clock, (key, error) =>
    log.warn({ code: 'ERR_CATALOG', repository: key }, describeError(error)),
  )
  const common = {
    ...{ cluster, catalog, scanner, tracked, policies, log, clock, timer },
    ownNamespace: namespace,
  }
  let isSynced = false
  let trouble: string | undefined
  let watchIsDue = false
  let closed = false

  const demand = createDemand({
    ...common,
    isSynced: () => isSynced,
    interval: options.interval,
  })
  const publish = createPublication({
    ...common,
    gather: (need, signal) => scanner.gather(need, signal),
    failureOf,
    handledScan: (id) => leadership.handledScan(id),
    onIndex: (id, sum) => sums.set(id, sum),
  })
  const leadership = createLeadership({
    ...common,
    demand,
    publish,
    isRead: (key) => (catalog.get(key)?.scannedAt ?? 0) > 0,
  })

  function failureOf(key: string): FactFailure | undefined {
    const failure = failures.get(key)
    const snapshot = catalog.get(key)
    // The scan may be of a clock that was ahead.
    const isLater = (failure?.at ?? 0) > (snapshot?.scannedAt ?? 0)
    return isLater || snapshot?.failure ? failure : undefined
  }

  const stopFollowing = secrets.onChange((accessId) => renew(accessId?.split('/')[0]))
  const stopListening = scanner.onScanned((key, _snapshot, failure) => {
    if (tracked.ofKey(key).length === 0) return
    if (failure) failures.set(key, failure)
    leadership.scanned(key)
  })

  function upsert(object: ImageRepository): void {
    if (!tracked.isKnown(object)) refer(object.metadata, secretNames(object))
    const { before, now } = tracked.set(object)
    if (before?.key !== now.key) sums.delete(now.id)
    settle(before, now)
    share(object, now, before)
    leadership.changed(now, before?.key !== now.key)
  }

  function refer(key: ObjectKey, names: readonly string[]): void {
    secrets.refer(`ImageRepository ${idOf(key)}`, key.namespace ?? '', names)
  }

  /** The Secrets of a namespace are others now, or known at last. */
  function renew(of: string | undefined): void {
    for (const { id, object } of [...tracked.all()]) {
      if (closed || object.metadata.namespace !== of) continue
      const { before, now } = tracked.renew(id) ?? {}
      if (!before || !now || isSameReading(before, now)) continue
      settle(before, now)
      leadership.changed(now, before.fault !== undefined)
    }
  }

  /** The scanner learns what a new reading of an object says; status updates say nothing new. */
  function settle(before: Tracked | undefined, now: Tracked): void {
    if (before?.settings === now.settings) return
    if (now.isPending)
      void secrets
        .ready(now.object.metadata.namespace ?? '')
        .then(() => renew(now.object.metadata.namespace))
    if (before && before.key !== now.key) release(before)
    if (now.key !== undefined) demand.forget(now.key)
    apply(now.key)
  }

  function remove(id: string): void {
    const before = tracked.delete(id)
    adoption.drop(id)
    sums.delete(id)
    leadership.forget(id)
    leadership.missed()
    if (!before) return
    refer(before.object.metadata, [])
    release(before)
  }

  /** Nobody says any more how a key is scanned; what only its access could read is forgotten. */
  function release({ key }: Tracked): void {
    if (key === undefined) return
    demand.forget(key)
    if (tracked.ofKey(key).length > 0) {
      apply(key)
      return
    }
    failures.delete(key)
    scanner.configure(key, undefined)
    if (accessOfKey(key) !== undefined) scanner.forget(key)
    renewWatch()
  }

  function apply(key: string | undefined): void {
    const [first] = key === undefined ? [] : tracked.ofKey(key)
    if (key === undefined || !first) return
    scanner.configure(key, mayConfigure(first, namespace) ? first.settings : undefined)
    renewWatch()
  }

  /** Once for all objects that are told of together. */
  function renewWatch(): void {
    if (watchIsDue) return
    watchIsDue = true
    setImmediate(() => {
      watchIsDue = false
      if (!closed) scanner.watch(tracked.keys())
    })
  }

  function share(object: ImageRepository, now: Tracked, before: Tracked | undefined): void {
    const { key, id } = now
    if (key === undefined || !mayConfigure(now, namespace)) return
    const index = object.status?.index
    const sum = indexSum(index)
    if (index !== undefined && sums.get(id) !== sum) {
      sums.set(id, sum)
      adoption.take(id, key, index, (scannedBefore) => adopted(now, key, scannedBefore))
      return
    }
    noteFailure(now)
    const revision = object.status?.revision
    const isNew = before !== undefined && before.object.status?.revision !== revision
    if (index === undefined && isNew && !leadership.isLeading() && catalog.get(key)) {
      // Too large to be shared: whoever uses it reads it anew.
      void scanner.scanNow(key)
    }
  }

  /** The leader confirms what it knows with each scan; what only this replica knows is left to it. */
  function adopted(now: Tracked, key: string, scannedBefore: number): void {
    noteFailure(now)
    const isNewer = scannedBefore > 0 && (catalog.get(key)?.scannedAt ?? 0) > scannedBefore
    if (isNewer && !leadership.isLeading()) void scanner.confirm(key, scannedBefore)
  }

  function noteFailure({ key, object }: Tracked): void {
    const failure = failureIn(object.status)
    if (!failure || key === undefined || leadership.isLeading()) return
    failures.set(key, failure)
    const snapshot = catalog.get(key)
    if (!snapshot || snapshot.failure?.message === failure.message) return
    if (failure.at > snapshot.scannedAt) catalog.recordFailure(key, failure)
  }

  scanner.setScheduled(false)
  const watching = cluster.watch<ImageRepository>(
    IMAGE_REPOSITORIES,
    {},
    {
      upsert,
      remove: (key) => remove(idOf(key)),
      problem(error) {
        trouble = `ImageRepositories cannot be read: ${describeError(error)}`
        log.warn({ code: 'ERR_CLUSTER' }, trouble)
      },
      recovered() {
        trouble = undefined
        log.info({}, 'ImageRepositories can be read again')
        // Their definition may have been gone, and all of them with it.
        leadership.missed()
      },
    },
  )
  const synced = watching.synced
    .then(() => adoption.idle())
    .then(() => {
      isSynced = true
    })

  return {
    used: (name, accessId) => demand.used(repositoryKey(name, accessId)),
    policiesChanged() {
      demand.forget()
      leadership.policiesChanged()
    },
    accessIn: (of, name) => accessOfKey(tracked.inNamespace(of, name)?.key ?? ''),
    isSynced: () => isSynced,
    synced,
    problem: () => trouble,
    async lead(signal) {
      const aborted = untilAborted(signal)
      await Promise.race([synced, aborted])
      if (signal.aborted || closed) return
      leadership.begin()
      await aborted
      leadership.end()
    },
    async close() {
      closed = true
      stopListening()
      stopFollowing()
      leadership.end()
      await Promise.all([watching.close(), demand.close(), leadership.close()])
    },
  }
}

function isSameReading(one: Tracked, other: Tracked): boolean {
  const isSameFault = one.fault?.message === other.fault?.message
  return one.key === other.key && one.isPending === other.isPending && isSameFault
}
