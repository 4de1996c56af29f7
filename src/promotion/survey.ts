import { setImmediate } from 'node:timers/promises'
import { type ReappliedImage, type ReviewOptions, reapply } from '../admission/index.ts'
import {
  type Cluster,
  hasReason,
  type KubernetesObject,
  NAMESPACES,
  type ResourceName,
} from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import type { CompiledPolicy } from '../policies/index.ts'
import { backgroundLane, inSlices } from '../scheduling/index.ts'
import { availabilityOf } from './availability.ts'
import { isCertain, isUnanswered, type Moving, versionOf } from './doubt.ts'
import { giveBackFields, hasOwnFields } from './field_ownership.ts'
import {
  type Place,
  placeTitle,
  promotedResources,
  whyNamespaceUnmoved,
  whyUnmoved,
} from './movable.ts'
import type { Found, Move, Reached } from './plan.ts'
import type { PromotionLog } from './types.ts'

export interface SurveyOptions {
  readonly cluster: Cluster
  readonly review: ReviewOptions
  readonly clock: () => number
  readonly since: number
  readonly customKinds: () => Promise<readonly ResourceName[]>
  readonly excludedNamespaces: ReadonlySet<string>
  /** workloads that are being moved right now, by title */
  readonly inFlight: ReadonlySet<string>
  /** whether nothing more moves to a version by the policy of this title */
  readonly isStopped: (title: string, version: string) => boolean
  /** told of each image that a policy may move, and whether all was known that it takes */
  readonly onImage: (policy: CompiledPolicy, name: string, certain: boolean) => void
  readonly log: PromotionLog | undefined
}

/** So many workloads of one policy are planned at a time; the others are found again later. */
const MOST_MOVES = 500
const MOST_IN_ALL = 20_000
/** So many versions of a policy's workloads are told apart. */
const MOST_VERSIONS = 200
const MOST_UNAVAILABLE = 20
/** Above this, one list of the whole cluster costs less. */
const MOST_NAMESPACES = 20
/** Objects between two chances for others to run. */
const BATCH = 50
const FACTS_WITHIN = 15_000

/**
 * Finds the workloads that these policies would move, and those that run the versions to which
 * they would. Reads by pages and keeps places and counts only, however many there are.
 *
 * @returns by title of the policy; none for a policy without workloads
 * @throws ClusterError when the API server does not list them
 */
export async function surveyWorkloads(
  policies: readonly CompiledPolicy[],
  options: SurveyOptions,
  signal: AbortSignal,
): Promise<Map<string, Found>> {
  const { cluster, excludedNamespaces } = options
  const chosen = new Set(policies.map(({ title }) => title))
  const found = new Map<string, Gathered>()
  const room = { left: MOST_IN_ALL }
  const doubts = new Map<string, ReappliedImage>()
  const namespaces = new Map<string, Promise<boolean>>()
  let all: Promise<ReadonlySet<string> | undefined> | undefined
  let looked = 0
  const kinds = promotedResources(await options.customKinds())
  for (const namespace of namespacesOf(policies)) {
    for (const resource of kinds) {
      if (!resource.namespaced) continue
      await lookAtAll(resource, namespace)
    }
  }
  for (const { policy, live } of doubts.values()) options.onImage(policy, live.name, false)
  return found

  async function lookAtAll(resource: ResourceName, namespace: string | undefined): Promise<void> {
    try {
      for await (const page of cluster.pages(resource, { namespace, signal })) {
        for (const object of page) {
          signal.throwIfAborted()
          const at = object.metadata.namespace
          if (at === undefined || excludedNamespaces.has(at)) continue
          await look({ resource, namespace: at, name: object.metadata.name }, object)
          looked += 1
          if (looked % BATCH === 0) await setImmediate()
        }
      }
    } catch (error) {
      // One kind that may not be listed, or is not served, does not keep the others.
      if (!hasReason(error, 'Forbidden') && !hasReason(error, 'NotFound')) throw error
      const fields = { resource: resource.plural, namespace }
      options.log?.warn(fields, `${resource.plural} are not promoted: ${describeError(error)}`)
    }
  }

  async function look(place: Place, object: KubernetesObject): Promise<void> {
    if (hasOwnFields(object) && !options.inFlight.has(placeTitle(place))) {
      // An earlier leader ended between its two writes.
      await giveBackFields(cluster, place, undefined, object).catch(() => {})
    }
    if (whyUnmoved(object) !== undefined) return
    const { review, clock, since } = options
    const { namespace, name, resource } = place
    const { images } = await reapply(
      { kind: resource, namespace, name, object: object as never },
      review,
      {
        chosen: ({ title }) => chosen.has(title),
        admits: () => false,
        deadline: clock() + FACTS_WITHIN,
      },
    )
    const moving = new Map<string, Set<string>>()
    const isMovable = images.length > 0 && (await mayMoveIn(namespace))
    for (const image of images) {
      options.onImage(image.policy, image.live.name, true)
      const isUnknown = await inSlices(backgroundLane(namespace), isUnanswered(image))
      if (isUnknown) doubts.set(`${image.policy.title} ${image.live.name}`, image)
      if (isMoving(image) && isCertain(image, since)) {
        const { title } = image.policy
        const versions = moving.get(title) ?? new Set()
        moving.set(title, versions.add(`${image.live.name} ${versionOf(image)}`))
      }
    }
    if (!isMovable) return
    for (const [title, all] of moving) {
      const versions = [...all]
      if (versions.some((version) => options.isStopped(title, version))) continue
      gatheredOf(found, room, title).move({ place, versions })
    }
    for (const image of images) {
      if (!moving.has(image.policy.title)) {
        gatheredOf(found, room, image.policy.title).stay(image, place, object)
      }
    }
  }

  /** Looked at once; all by one list if there are many. What can't be read is left to the move. */
  function mayMoveIn(name: string): Promise<boolean> {
    if (!namespaces.has(name) && namespaces.size >= MOST_NAMESPACES) {
      all ??= movableNamespaces(cluster, signal).catch(() => undefined)
      return all.then((movable) => movable?.has(name) ?? true)
    }
    const known =
      namespaces.get(name) ??
      cluster.get(NAMESPACES, { name }, { signal }).then(
        (found) => whyNamespaceUnmoved(found) === undefined,
        () => true,
      )
    namespaces.set(name, known)
    return known
  }
}

async function movableNamespaces(
  cluster: Cluster,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const movable = new Set<string>()
  for await (const page of cluster.pages(NAMESPACES, { signal })) {
    for (const each of page) {
      if (whyNamespaceUnmoved(each) === undefined) movable.add(each.metadata.name)
    }
  }
  return movable
}

/** One list of all namespaces, unless a few are enough. */
function namespacesOf(policies: readonly CompiledPolicy[]): readonly (string | undefined)[] {
  const namespaces = new Set(policies.map(({ namespace }) => namespace))
  const few = namespaces.size <= MOST_NAMESPACES && !namespaces.has(undefined)
  return few ? [...namespaces] : [undefined]
}

function isMoving(image: ReappliedImage): image is Moving {
  return image.change !== undefined
}

interface Gathered extends Found {
  move(move: Move): void
  stay(image: ReappliedImage, place: Place, object: KubernetesObject): void
}

function gatheredOf(all: Map<string, Gathered>, room: Room, title: string): Gathered {
  const gathered = all.get(title) ?? gather(room)
  all.set(title, gathered)
  return gathered
}

/** How many more moves are kept in all. */
interface Room {
  left: number
}

function gather(room: Room): Gathered {
  const moves: Move[] = []
  const reached = new Map<string, Reached>()
  let more = false

  function reach(version: string, change: (before: Reached) => Reached): void {
    const before = reached.get(version)
    if (!before && reached.size >= MOST_VERSIONS) return
    reached.set(version, change(before ?? { available: 0, unavailable: [], rolledBack: undefined }))
  }

  return {
    moves,
    reached,
    get more() {
      return more
    },
    move(move) {
      if (moves.length < MOST_MOVES && (moves.length === 0 || room.left > 0)) {
        moves.push(move)
        room.left -= 1
      } else {
        more = true
      }
    },
    stay(image, place, object) {
      const { live, from, rolledBackFrom } = image
      if (rolledBackFrom !== undefined) {
        reach(`${live.name} ${rolledBackFrom}`, (before) => ({
          ...before,
          rolledBack: before.rolledBack ?? place,
        }))
      }
      const available = availabilityOf(place.resource, object).state === 'available'
      reach(`${live.name} ${from}`, (before) => {
        if (available) return { ...before, available: before.available + 1 }
        const { unavailable } = before
        const full = unavailable.length >= MOST_UNAVAILABLE
        return full ? before : { ...before, unavailable: [...unavailable, place] }
      })
    },
  }
}
