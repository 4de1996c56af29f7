import { setImmediate } from 'node:timers/promises'
import {
  ClusterError,
  hasReason,
  type KubernetesObject,
  PODS,
  type ResourceName,
} from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import { unlessAborted } from '../work/index.ts'
import { auditedKinds, FOLDED, keyOf, kindText, ownerOf } from './kinds.ts'
import { ahead } from './listing.ts'
import { createLook } from './look.ts'
import { containersIn, createRunning } from './running.ts'
import { createTally } from './tally.ts'
import type { Audited, AuditOptions } from './types.ts'

const BATCH = 100

/**
 * Judges what runs in a cluster, at the level at which people own it: what a controller owns counts
 * to its owner, if that is looked at too. Lists are read by pages and not kept, however many objects
 * there are. A kind that may not be read is a problem in the report, and the others are looked at.
 *
 * @throws ClusterError when the API server can't be asked at all
 * @example
 *   const { report } = await audit({ cluster, review, version: '1.0.0', namespace: 'shop' })
 */
export async function audit(options: AuditOptions): Promise<Audited> {
  const { cluster, namespace, selector, signal, batch = BATCH, clock = Date.now } = options
  const { pause = () => setImmediate(), excludedNamespaces = new Set<string>() } = options
  const kinds = auditedKinds(options.customKinds ?? [])
  const looked = new Set(kinds.map(kindText))
  const tally = createTally({
    version: options.version,
    startedAt: clock(),
    isDifference: options.whatIf !== undefined,
  })
  const running = createRunning()
  const look = createLook(options, tally)
  /** owners that are not seen yet, each with the kinds that name it */
  const unseen = new Map<string, Set<ResourceName>>()
  let looking = ''
  let read = 0
  let all: number | undefined
  let isOver = false

  const isIn = ({ metadata }: KubernetesObject) =>
    namespace !== undefined || !excludedNamespaces.has(metadata.namespace ?? '')

  const ownerIn = (object: KubernetesObject) => {
    const owner = ownerOf(object)
    return owner && looked.has(owner.kind) ? owner : undefined
  }
  const isOwned = (object: KubernetesObject) => ownerIn(object) !== undefined

  /** Whether an object counts to its owner. */
  function fold(resource: ResourceName, object: KubernetesObject): boolean {
    const owner = ownerIn(object)
    const key = keyOf(object)
    unseen.delete(key)
    if (!owner) return false
    if (resource === PODS) running.add(owner.key, object)
    else running.move(key, owner.key)
    const known = unseen.get(owner.key)
    if (known) known.add(resource)
    else unseen.set(owner.key, new Set([resource]))
    return true
  }

  async function list(
    resource: ResourceName,
    labelSelector: string | undefined,
    take: (object: KubernetesObject) => boolean,
  ): Promise<void> {
    if (isOver || signal?.aborted) return
    looking = resource.plural
    const where = resource.namespaced ? namespace : undefined
    if (namespace !== undefined && !resource.namespaced) return
    try {
      const pages = cluster.pages(resource, { namespace: where, labelSelector, signal })
      for await (const page of ahead(pages)) {
        read += page.length
        const taken = page.filter((object) => isIn(object) && take(object))
        for (let at = 0; at < taken.length; at += batch) {
          if (signal?.aborted) return
          const some = taken.slice(at, at + batch)
          const looks = Promise.all(some.map((object) => lookAt(resource, object)))
          await unlessAborted(looks, signal)
          progress()
          await pause(signal)
        }
      }
    } catch (error) {
      if (signal?.aborted) return
      refused(resource, error)
    }
  }

  function lookAt(resource: ResourceName, object: KubernetesObject): Promise<void> {
    if (resource === PODS) return look(resource, object, containersIn(object))
    const owner = ownerIn(object)
    const own = running.take(keyOf(object))
    return look(resource, object, own.length > 0 || !owner ? own : running.take(owner.key))
  }

  /** Objects whose owner is not there, or may not be read: nobody else answers for them. */
  async function lookAtOrphans(): Promise<void> {
    const orphaned = new Set([...unseen.values()].flatMap((of) => [...of]))
    for (const resource of kinds) {
      if (!orphaned.has(resource)) continue
      await list(resource, undefined, (object) => unseen.has(ownerOf(object)?.key ?? ''))
    }
  }

  function progress(): void {
    options.onProgress?.({ looking, ...tally.figures(), read, all })
  }

  function refused({ plural, group }: ResourceName, error: unknown): void {
    if (!(error instanceof ClusterError)) throw error
    // A kind that is gone, such as a CRD that was removed, has nothing to look at.
    if (hasReason(error, 'NotFound')) return
    const isForbidden = hasReason(error, 'Forbidden')
    if (!isForbidden && tally.figures().objects === 0) throw error
    if (!isForbidden) isOver = true
    const place = `${plural}${group === '' ? '' : `.${group}`}`
    tally.problem({
      code: error.code,
      place: namespace === undefined ? place : `${place} in ${namespace}`,
      line: undefined,
      column: undefined,
      message: describeError(error),
    })
  }

  if (options.onProgress && selector === undefined) {
    void countAll(kinds, options).then((count) => {
      all = count
    })
  }
  if (selector !== undefined) {
    // What belongs to a workload need not have its labels.
    for (const resource of FOLDED) {
      await list(resource, undefined, (object) => !fold(resource, object) && false)
    }
  }
  for (const resource of kinds) {
    await list(resource, selector, (object) =>
      selector === undefined ? !fold(resource, object) : !isOwned(object),
    )
  }
  if (selector === undefined) await lookAtOrphans()
  if (running.isCut()) {
    tally.note('What runs is known of some workloads only: there are too many pods')
  }
  progress()
  const interrupted = signal?.aborted === true
  const report = tally.report({ interrupted, finishedAt: clock() })
  const isWhole = !interrupted && !isOver
  return { report, spaces: tally.spaces(), series: tally.series(), isWhole }
}

/** How many objects there are of all kinds; undefined: of one nobody can say. */
async function countAll(
  kinds: readonly ResourceName[],
  { cluster, namespace, signal }: AuditOptions,
): Promise<number | undefined> {
  const counts = await Promise.all(
    kinds
      .filter(({ namespaced }) => namespaced || namespace === undefined)
      // of what may not be read, nothing is
      .map((kind) => cluster.count?.(kind, { namespace, signal }).catch(() => 0)),
  )
  return counts.reduce<number | undefined>(
    (sum, count) => (sum === undefined || count === undefined ? undefined : sum + count),
    0,
  )
}
