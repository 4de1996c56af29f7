import { setImmediate } from 'node:timers/promises'
import {
  ClusterError,
  hasReason,
  type KubernetesObject,
  PODS,
  type ResourceName,
} from '../cluster/index.ts'
import { unlessAborted } from '../scheduling/index.ts'
import { auditedKinds, FOLDED, keyOf, kindText, ownerOf } from './kinds.ts'
import { ahead } from './listing.ts'
import { containersIn, createRunning, type RunningContainer } from './running.ts'
import { isFinished } from './settled.ts'
import type { AuditOptions } from './types.ts'

const BATCH = 100

/** Looks at one object, with what its pods run. */
export type Look = (
  resource: ResourceName,
  object: KubernetesObject,
  running: readonly RunningContainer[],
) => Promise<void>

export interface WalkOptions
  extends Pick<
    AuditOptions,
    | 'cluster'
    | 'customKinds'
    | 'namespace'
    | 'selector'
    | 'excludedNamespaces'
    | 'onlyWhole'
    | 'signal'
  > {
  readonly look: Look
  readonly batch?: number | undefined
  readonly pause?: AuditOptions['pause']
  /** @param read objects that were read so far, whatever they count to */
  readonly onProgress?: ((looking: string, read: number) => void) | undefined
}

/** What a walk could not look at. */
export interface Walked {
  /** kinds that could not be listed, each once, and why */
  readonly refused: readonly { readonly resource: ResourceName; readonly error: ClusterError }[]
  /** the API server answered all the time; some kinds may be forbidden */
  readonly isWhole: boolean
  /** of some pods it is not known what they run, as there are too many */
  readonly isCut: boolean
}

/**
 * Looks at what runs in a cluster, at the level at which people own it: what a controller owns
 * counts to its owner, if that is looked at too. What is being deleted or has run to its end is
 * passed over. Lists are read by pages and not kept, however many objects there are. One that fails
 * does not keep the others from being read, as long as the API server answers.
 *
 * @throws ClusterError when the API server lists nothing at all, or does not understand the selector
 */
export async function walkWorkloads(options: WalkOptions): Promise<Walked> {
  const { cluster, namespace, selector, signal, look, batch = BATCH } = options
  const { pause = () => setImmediate(), excludedNamespaces = new Set<string>() } = options
  const kinds = auditedKinds(options.customKinds ?? [])
  const looked = new Set(kinds.map(kindText))
  const running = createRunning()
  const refused: { readonly resource: ResourceName; readonly error: ClusterError }[] = []
  /** owners that are not seen yet, each with the kinds that name it */
  const unseen = new Map<string, Set<ResourceName>>()
  let read = 0
  let hasAnswered = false
  let isWhole = true
  let isOver = false

  const isIn = ({ metadata }: KubernetesObject) =>
    namespace !== undefined || !excludedNamespaces.has(metadata.namespace ?? '')

  const ownerIn = (object: KubernetesObject) => {
    const owner = ownerOf(object)
    return owner && looked.has(owner.kind) ? owner : undefined
  }

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
    if (signal?.aborted) return
    if (isOver) return options.onlyWhole ? undefined : refuse(resource, silence())
    const progress = () => options.onProgress?.(resource.plural, read)
    const where = resource.namespaced ? namespace : undefined
    if (namespace !== undefined && !resource.namespaced) return
    try {
      const pages = cluster.pages(resource, { namespace: where, labelSelector, signal })
      for await (const page of ahead(pages)) {
        hasAnswered = true
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
      progress()
    } catch (error) {
      if (signal?.aborted) return
      if (!(error instanceof ClusterError)) throw error
      // A kind that is gone, such as a CRD that was removed, has nothing to look at.
      if (hasReason(error, 'NotFound')) return
      // a selector that is none is none for every kind
      if (hasReason(error, 'BadRequest') && selector !== undefined) throw error
      if (!hasReason(error, 'Forbidden')) {
        isOver = options.onlyWhole === true || error.answer === 0
        isWhole = false
        if (isOver && !hasAnswered) throw error
      }
      refuse(resource, error)
    }
  }

  function refuse(resource: ResourceName, error: ClusterError): void {
    if (!refused.some((each) => each.resource === resource)) refused.push({ resource, error })
  }

  async function lookAt(resource: ResourceName, object: KubernetesObject): Promise<void> {
    const containers = runningOf(resource, object)
    if (object.metadata.deletionTimestamp !== undefined || isFinished(resource, object)) return
    await look(resource, object, containers)
  }

  function runningOf(resource: ResourceName, object: KubernetesObject) {
    if (resource === PODS) return containersIn(object)
    const owner = ownerIn(object)
    const own = running.take(keyOf(object))
    return own.length > 0 || !owner ? own : running.take(owner.key)
  }

  if (selector !== undefined) {
    // What belongs to a workload need not have its labels.
    for (const resource of FOLDED) {
      await list(resource, undefined, (object) => !fold(resource, object) && false)
    }
  }
  for (const resource of kinds) {
    await list(resource, selector, (object) =>
      selector === undefined ? !fold(resource, object) : ownerIn(object) === undefined,
    )
  }
  if (selector === undefined) {
    // Objects whose owner is not there, or may not be read: nobody else answers for them.
    const orphaned = new Set([...unseen.values()].flatMap((of) => [...of]))
    for (const resource of kinds) {
      if (!orphaned.has(resource)) continue
      await list(resource, undefined, (object) => unseen.has(ownerOf(object)?.key ?? ''))
    }
  }
  const failed = refused.find(({ error }) => !hasReason(error, 'Forbidden'))
  if (failed && !hasAnswered) throw failed.error
  return { refused, isWhole: isWhole && signal?.aborted !== true, isCut: running.isCut() }
}

/** Of a kind that is read, or read again, after nobody answered. */
function silence(): ClusterError {
  const message = 'not all could be asked for, since the API server did not answer any more'
  return new ClusterError(message, { answer: 0, reason: 'Unreachable' })
}
