import { nameOfKey } from '../catalog/index.ts'
import { IMAGE_REPOSITORIES } from '../cluster/index.ts'
import type { Cluster } from '../cluster/types.ts'
import { describeError } from '../errors.ts'
import type { PolicySet } from '../policies/types.ts'
import type { Scanner } from '../scanner/index.ts'
import { createWorkQueue, type Timer } from '../scheduling/index.ts'
import type { Demand } from './demand.ts'
import { isManaged, isObsolete, policiesFor } from './managed.ts'
import { keyOfId, requestedScan, type Tracked, type TrackedRepositories } from './tracked.ts'
import type { RepositoryLog } from './types.ts'

const WRITTEN_PER_SECOND = 20
const REMOVED_PER_SECOND = 5
/** What is unused is looked for so often, in ms. */
const ROUND = 10 * 60_000
/** Policies that change one after the other are looked at together after so many ms. */
const SETTLE = 500
/** What was deleted and is needed is made again after so many ms. */
const MISSED = 5_000

/** What the leader does beside answering reviews like the others. */
export interface Leadership {
  isLeading(): boolean
  /** Begins to scan on the clock, to write and to collect. */
  begin(): void
  end(): void
  /**
   * An object is new or has changed.
   *
   * @param isNew what it reads is new: somebody may be waiting for it to be read
   */
  changed(one: Tracked, isNew: boolean): void
  /** What is known of a key has changed, or could not be read. */
  scanned(key: string): void
  policiesChanged(): void
  /** the value of an annotation that asked for a scan which was made */
  handledScan(id: string): string | undefined
  forget(id: string): void
  /** Something may be missing that policies name, as after a deletion. */
  missed(): void
  close(): Promise<void>
}

export interface LeadershipOptions {
  readonly cluster: Cluster
  readonly scanner: Pick<Scanner, 'scanNow' | 'setScheduled'>
  readonly tracked: TrackedRepositories
  readonly demand: Pick<Demand, 'want'>
  readonly policies: () => PolicySet
  /** whether the tags of a key were ever listed */
  readonly isRead: (key: string) => boolean
  readonly publish: (id: string) => Promise<boolean>
  readonly log: RepositoryLog
  readonly clock: () => number
  readonly timer: Timer
}

export function createLeadership(options: LeadershipOptions): Leadership {
  const { cluster, scanner, tracked, policies, log, clock, timer } = options
  const asked = new Map<string, { readonly value: string; handled: boolean }>()
  let leading = false
  let cancelRound = () => {}
  let cancelSettle: (() => void) | undefined
  let cancelMissed: (() => void) | undefined

  const writes = createWorkQueue({
    work: async (id) => leading && options.publish(id),
    perSecond: WRITTEN_PER_SECOND,
    onFailure: (id, error) =>
      log.debug({ repository: id }, `the status of ${id} is not written: ${describeError(error)}`),
    clock,
    timer,
  })
  const removals = createWorkQueue({
    work: remove,
    perSecond: REMOVED_PER_SECOND,
    onFailure: (id, error) =>
      log.debug({ repository: id }, `${id} is not removed: ${describeError(error)}`),
    clock,
    timer,
  })

  function changed(one: Tracked, isNew: boolean): void {
    if (!leading) return
    writes.add(one.id)
    const { key, settings, fault } = one
    if (key === undefined || fault || settings.suspend) return
    if (!scanAsAsked(one, key) && isNew && !options.isRead(key)) void scanner.scanNow(key)
  }

  function scanAsAsked({ object, id }: Tracked, key: string): boolean {
    const value = requestedScan(object)
    if (value === undefined || value === object.status?.lastHandledScan) return false
    if (asked.get(id)?.value === value) return false
    const entry = { value, handled: false }
    asked.set(id, entry)
    void scanner.scanNow(key).then(() => {
      entry.handled = true
      writes.add(id)
    })
    return true
  }

  /** Makes what policies name, and removes what nothing needs. */
  function collect(): void {
    cancelRound()
    if (!leading) return
    cancelRound = timer(collect, ROUND)
    const named = namedRepositories(policies(), tracked)
    for (const name of named) {
      if (!tracked.isGoverned(name)) options.demand.want(name)
    }
    for (const one of tracked.all()) if (isUnneeded(one, named)) removals.add(one.id)
  }

  function isUnneeded({ object, key }: Tracked, named: ReadonlySet<string>): boolean {
    if (!isManaged(object)) return false
    const covering =
      key === undefined ? [] : policiesFor(policies(), key, object.metadata.namespace)
    return isObsolete(object, covering, named.has(key ?? ''), clock())
  }

  async function remove(id: string): Promise<boolean> {
    const one = tracked.get(id)
    if (!leading || !one || !isUnneeded(one, namedRepositories(policies(), tracked))) return false
    await cluster.remove(IMAGE_REPOSITORIES, keyOfId(id), { uid: one.object.metadata.uid })
    log.info({ repository: id }, `${id} is removed: no policy covers it, or nothing uses it`)
    return true
  }

  function look(): void {
    cancelMissed = undefined
    collect()
  }

  function settle(): void {
    cancelSettle = undefined
    for (const { id } of tracked.all()) writes.add(id)
    collect()
  }

  return {
    isLeading: () => leading,
    begin() {
      leading = true
      scanner.setScheduled(true)
      for (const one of tracked.all()) changed(one, false)
      collect()
    },
    end() {
      leading = false
      scanner.setScheduled(false)
      cancelRound()
      cancelSettle?.()
      cancelMissed?.()
      cancelSettle = undefined
      cancelMissed = undefined
      writes.clear()
      removals.clear()
      asked.clear()
    },
    changed,
    scanned(key) {
      if (leading) for (const { id } of tracked.ofKey(key)) writes.add(id)
    },
    policiesChanged() {
      if (leading) cancelSettle ??= timer(settle, SETTLE)
    },
    handledScan(id) {
      const entry = asked.get(id)
      return entry?.handled ? entry.value : undefined
    },
    forget(id) {
      writes.drop(id)
      asked.delete(id)
    },
    missed() {
      if (leading) cancelMissed ??= timer(look, MISSED)
    },
    async close() {
      await Promise.all([writes.close(), removals.close()])
    },
  }
}

/**
 * The repositories that policies name in full and that no ImageRepository of the policy's own
 * namespace reads: they are scanned before anybody asks for them.
 */
function namedRepositories({ policies }: PolicySet, tracked: TrackedRepositories): Set<string> {
  const named = new Set<string>()
  for (const { images, namespace } of policies) {
    for (const glob of images) {
      if (glob.includes('*') || named.has(glob)) continue
      const own = namespace === undefined ? undefined : tracked.inNamespace(namespace, glob)
      if (!own || own.key === nameOfKey(own.key ?? '')) named.add(glob)
    }
  }
  return named
}
