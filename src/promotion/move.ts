import { type ReviewOptions, reapply } from '../admission/index.ts'
import { type Cluster, hasReason, type KubernetesObject, NAMESPACES } from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import { findImages } from '../images/index.ts'
import type { CompiledPolicy } from '../policies/index.ts'
import { backoff } from '../scheduling/index.ts'
import { isCertain, type Moving } from './doubt.ts'
import { FIELD_MANAGER, giveBackFields, hasOwnFields } from './field_ownership.ts'
import { type Place, whyNamespaceUnmoved, whyUnmoved } from './movable.ts'
import { isPassing, type Patience } from './patience.ts'
import { isContinuous } from './targets.ts'

/** How a move ended. */
export type Moved =
  | {
      readonly result: 'moved'
      readonly uid: string | undefined
      readonly images: readonly Moving[]
    }
  | { readonly result: 'unmoved'; readonly why: string }
  | { readonly result: 'failed'; readonly uid: string | undefined; readonly why: string }

export interface MoveOptions {
  readonly cluster: Cluster
  readonly review: ReviewOptions
  readonly patience: Patience
  readonly clock: () => number
  readonly policy: CompiledPolicy
  /** since when this process leads */
  readonly since: number
  /** asked right before the write: whether it may still be done */
  readonly mayMove: () => boolean
}

/** Facts that are not in memory are waited for so long, in ms. */
const FACTS_WITHIN = 15_000
/** So often in a row somebody else may have written in between, or the server may have failed. */
const MOST_ATTEMPTS = 10

/** A write that may have been done although it was not answered so. */
interface Tried {
  readonly before: KubernetesObject
  readonly images: readonly Moving[]
  /** a conflict was the answer: perhaps with our own write, that was sent twice */
  readonly conflict: boolean
}

/**
 * Moves one workload as far as this policy may, by what is there now: once, or not at all. The
 * write names the version of the object that was decided on, so that a change in between is a
 * conflict, after which all is looked at again.
 *
 * @throws the signal's reason when it aborts before anything was written
 */
export async function moveWorkload(
  place: Place,
  options: MoveOptions,
  signal: AbortSignal,
): Promise<Moved> {
  const { cluster, patience } = options
  const { resource, namespace, name } = place
  let tried: Tried | undefined
  for (let attempt = 1; ; attempt += 1) {
    const object = await patience.insist(() => cluster.get(resource, { namespace, name }), signal)
    if (object === undefined) return { result: 'unmoved', why: 'it is gone' }
    const { uid, resourceVersion } = object.metadata
    if (tried && isThere(tried, object, place, options)) {
      return settle(place, options, { ...tried, after: object })
    }
    const why = whyUnmoved(object) ?? (await whyNamespace(place, options, signal))
    if (why !== undefined) return { result: 'unmoved', why }
    const moving: Moving[] = []
    const { patch, denied } = await reapply(
      { kind: resource, namespace, name, object: object as never },
      options.review,
      {
        chosen: (policy) => policy.title === options.policy.title && isContinuous(policy),
        admits: (image) => {
          const certain = isCertain(image, options.since)
          if (certain) moving.push(image)
          return certain
        },
        deadline: options.clock() + FACTS_WITHIN,
      },
    )
    if (patch.length === 0) return { result: 'unmoved', why: 'there is nothing newer for it' }
    if (denied.length > 0) {
      return { result: 'failed', uid, why: `the result would be denied: ${denied.join('; ')}` }
    }
    signal.throwIfAborted()
    if (!options.mayMove()) return { result: 'unmoved', why: 'it may not be moved now' }
    const version = { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion }
    try {
      const after = await cluster.patch(
        resource,
        { namespace, name },
        { type: 'json', body: [version, ...patch] },
        { fieldManager: FIELD_MANAGER },
      )
      return settle(place, options, { before: object, images: moving, after })
    } catch (error) {
      const again = isPassing(error) || hasReason(error, 'Conflict')
      if (hasReason(error, 'NotFound')) return { result: 'unmoved', why: 'it is gone' }
      if (!again || attempt === MOST_ATTEMPTS) {
        return { result: 'failed', uid, why: describeError(error) }
      }
      const passing = isPassing(error)
      tried = { before: object, images: moving, conflict: !passing }
      const [first, longest] = passing ? [500, 30_000] : [20, 1_000]
      await patience.pause(backoff(attempt + 1, first, longest), signal)
    }
  }
}

/** Whether a write that was not answered has been done. */
function isThere(
  { images, conflict }: Tried,
  object: KubernetesObject,
  { resource }: Place,
  { review }: MoveOptions,
): boolean {
  const found = new Set(findImages(object, resource, review.fields).map(({ value }) => value))
  return images.every(({ change }) => found.has(change.to)) && (!conflict || hasOwnFields(object))
}

async function whyNamespace(
  { namespace }: Place,
  { cluster, patience }: MoveOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await patience.insist(() => cluster.get(NAMESPACES, { name: namespace }), signal)
  return whyNamespaceUnmoved(found)
}

/** What is written is written: the rest is done although the signal aborts. */
async function settle(
  place: Place,
  { cluster, patience }: MoveOptions,
  { before, images, after }: Omit<Tried, 'conflict'> & { readonly after: KubernetesObject },
): Promise<Moved> {
  const stop = AbortSignal.timeout(FACTS_WITHIN)
  await patience
    .insist(() => giveBackFields(cluster, place, before, after), stop)
    // The next survey does it.
    .catch(() => {})
  return { result: 'moved', uid: after.metadata.uid, images }
}
