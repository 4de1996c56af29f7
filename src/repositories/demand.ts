import { type Catalog, nameOfKey } from '../catalog/index.ts'
import { type Cluster, hasReason, IMAGE_REPOSITORIES, timeText } from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import type { PolicySet } from '../policies/types.ts'
import { createWorkQueue, type Timer } from '../scheduling/index.ts'
import { isManaged, managedRepository } from './managed.ts'
import { keyOfId, type TrackedRepositories } from './tracked.ts'
import type { RepositoryLog } from './types.ts'

/** That a repository is in use is written down so often, in ms; also how often it is looked at. */
const HOUR = 3_600_000
const CREATED_PER_SECOND = 5
const REPORTED_PER_SECOND = 10
/** So many ImageRepositories there may be before Tagwarden makes no more of its own. */
const MOST_OBJECTS = 10_000
/** So many keys are remembered as looked at. Past it, all are looked at again. */
const MOST_SEEN = 20_000

/** Makes ImageRepositories for what workloads use, and notes when they are used. */
export interface Demand {
  /** A workload uses what stands under a key of the catalog. Costs next to nothing. */
  used(key: string): void
  /** Makes one for a key that a policy names. */
  want(key: string): void
  /** What was looked at may stand differently now; all, without a key. */
  forget(key?: string): void
  close(): Promise<void>
}

export interface DemandOptions {
  readonly cluster: Cluster
  readonly catalog: Catalog
  readonly tracked: TrackedRepositories
  readonly policies: () => PolicySet
  /** whether all objects that there are are known */
  readonly isSynced: () => boolean
  readonly ownNamespace: string
  /** ms, of the ImageRepositories that are made */
  readonly interval: number
  readonly log: RepositoryLog
  readonly clock: () => number
  readonly timer: Timer
}

export function createDemand(options: DemandOptions): Demand {
  const { cluster, catalog, tracked, policies, isSynced, ownNamespace, log, clock, timer } = options
  let seen = new Set<string>()
  const told = new Set<string>()
  let cancelRound = timer(round, HOUR)

  const creations = createWorkQueue({
    work: create,
    perSecond: CREATED_PER_SECOND,
    onFailure: (key, error) => log.debug({ repository: key }, describeError(error)),
    clock,
    timer,
  })
  const reports = createWorkQueue({ work: report, perSecond: REPORTED_PER_SECOND, clock, timer })

  function round(): void {
    seen = new Set()
    cancelRound = timer(round, HOUR)
  }

  function look(key: string): void {
    if (!isSynced()) return
    if (tracked.isGoverned(key)) {
      for (const { id, object } of tracked.ofKey(key)) if (isManaged(object)) reports.add(id)
    } else if (policies().covering(nameOfKey(key)).length > 0) {
      // What no registry knows may be a slip of the pen: it gets no object.
      if (!catalog.get(key) || !creations.add(key)) return
    }
    if (seen.size >= MOST_SEEN) seen = new Set()
    seen.add(key)
  }

  async function create(key: string): Promise<boolean> {
    if (tracked.isGoverned(key)) return false
    const object = managedRepository(key, ownNamespace, options.interval)
    if (!object) return false
    if (tracked.size() >= MOST_OBJECTS) {
      tell('many', `there are ${MOST_OBJECTS} ImageRepositories, so Tagwarden makes no more`)
      return false
    }
    try {
      await cluster.create(IMAGE_REPOSITORIES, object)
    } catch (error) {
      if (hasReason(error, 'AlreadyExists')) return true
      // a namespace that is going, or a name that the API server refuses
      if (hasReason(error, 'NotFound') || hasReason(error, 'Invalid')) return true
      if (!hasReason(error, 'Forbidden')) throw error
      tell(
        `create ${object.metadata.namespace}`,
        `Tagwarden makes no ImageRepository in ${object.metadata.namespace}: ${describeError(error)}`,
      )
    }
    return true
  }

  async function report(id: string): Promise<boolean> {
    const object = tracked.get(id)?.object
    const last = Date.parse(object?.status?.lastUsedTime ?? '')
    if (!object || clock() - last < HOUR) return false
    const { uid } = object.metadata
    const body = { metadata: { uid }, status: { lastUsedTime: timeText(clock()) } }
    try {
      const patch = { type: 'merge', body } as const
      await cluster.patch(IMAGE_REPOSITORIES, keyOfId(id), patch, { subresource: 'status' })
    } catch (error) {
      if (!hasReason(error, 'Forbidden')) return true
      tell('report', `it cannot be noted that ImageRepositories are used: ${describeError(error)}`)
    }
    return true
  }

  function tell(about: string, message: string): void {
    if (!told.has(about)) log.warn({ code: 'ERR_CLUSTER' }, message)
    if (told.size < 100) told.add(about)
  }

  return {
    used(key) {
      if (!seen.has(key)) look(key)
    },
    want: (key) => void creations.add(key),
    forget(key) {
      if (key === undefined) seen = new Set()
      else seen.delete(key)
    },
    async close() {
      cancelRound()
      await Promise.all([creations.close(), reports.close()])
    },
  }
}
