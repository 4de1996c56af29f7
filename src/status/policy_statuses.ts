import { type Catalog, nameOfKey } from '../catalog/index.ts'
import { hasReason, IMAGE_POLICY_EXCEPTIONS } from '../cluster/index.ts'
import { rivalsOf } from '../decisions/index.ts'
import { describeError } from '../errors.ts'
import type { Work } from '../pieces/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import type { Scanner } from '../scanner/index.ts'
import {
  backgroundLane,
  createAlarm,
  createWorkQueue,
  inSlices,
  setUnreferencedTimer,
  type Timer,
  untilAborted,
} from '../scheduling/index.ts'
import type { PolicyObject, PolicySource } from '../sources/index.ts'
import { exceptionStateOf } from './exception_status.ts'
import { knownRepositories } from './known_repositories.ts'
import { createPublisher, type PublisherOptions } from './publish.ts'

/** Statuses that say something new, written in a second at most. */
const WRITES_PER_SECOND = 20
/** Policies with patterns that are looked at in a second: each goes through all of the index. */
const PATTERNS_PER_SECOND = 5
/** Statuses in which only times are others, written in a second at most. */
const TIMES_PER_SECOND = 2
/** A time that is told this exactly, in ms, is not told again. */
const EXACT = 5 * 60_000

/** So many statuses are looked at anew since another policy has changed. */
const MOST_GUARDED = 500

export interface PolicyStatusOptions extends Pick<PublisherOptions, 'cluster'> {
  readonly policies: Pick<PolicySource, 'objects' | 'objectOf' | 'current' | 'subscribe'>
  readonly catalog: Pick<Catalog, 'get' | 'keys'>
  readonly scanner: Pick<Scanner, 'onScanned' | 'onForgotten'>
  readonly log?: PublisherOptions['log']
  readonly clock?: () => number
  readonly timer?: Timer | undefined
}

/** Writes what is to be said of policies and exceptions into their status. */
export interface PolicyStatuses {
  /** Writes for as long as this replica leads; resolves when nothing runs any more. */
  lead(signal: AbortSignal): Promise<void>
}

/**
 * Keeps the status of ImagePolicies, ClusterImagePolicies and ImagePolicyExceptions right while
 * this replica leads: after each change and each scan, and at the moment when an exception
 * expires. What says nothing new is not written, and nothing is asked of the API server.
 *
 * @example
 *   const statuses = startPolicyStatus({ cluster, policies, catalog, scanner, log })
 *   electLeader(cluster, { …, onLeading: (signal) => void statuses.lead(signal) })
 */
export function startPolicyStatus(options: PolicyStatusOptions): PolicyStatuses {
  return {
    async lead(signal) {
      if (signal.aborted) return
      const end = begin(options)
      await untilAborted(signal)
      await end()
    },
  }
}

function begin(options: PolicyStatusOptions): () => Promise<void> {
  const { policies, scanner, log, clock = Date.now, timer } = options
  const known = knownRepositories(options.catalog)
  const objects = new Map<string, PolicyObject>()
  const publisher = createPublisher({ ...options, known, log, clock })

  const queue = (perSecond: number, work: (object: PolicyObject) => Promise<boolean>) =>
    createWorkQueue({
      perSecond,
      clock,
      ...(timer && { timer }),
      work: async (title) => {
        const object = objects.get(title)
        return object ? work(object) : false
      },
      onFailure: (title, error) => {
        // that is told once for all of them
        if (hasReason(error, 'Forbidden')) return
        log?.warn({}, `the status of ${title} is not written yet: ${describeError(error)}`)
      },
    })
  const news = queue(WRITES_PER_SECOND, publishNews)
  const patterns = queue(PATTERNS_PER_SECOND, async (object) => {
    await publishNews(object)
    return true
  })
  const times = queue(
    TIMES_PER_SECOND,
    async (object) => (await publisher.publish(object, true)) !== 'nothing',
  )
  const alarm = createAlarm(clock, timer ?? setUnreferencedTimer)

  async function publishNews(object: PolicyObject): Promise<boolean> {
    if (object.resource === IMAGE_POLICY_EXCEPTIONS) {
      const { until } = exceptionStateOf(object, clock())
      if (until !== undefined) alarm.set(object.title, until, () => mark(objects.get(object.title)))
      else alarm.clear(object.title)
    }
    const publication = await publisher.publish(object, false)
    const seen = Date.parse(object.status()?.lastScanTime ?? '')
    if (publication === 'times' && !(clock() - seen < EXACT)) times.add(object.title)
    return publication === 'news'
  }

  function mark(object: PolicyObject | undefined): void {
    if (object === undefined || objects.get(object.title) !== object) return
    const { policy, title } = object
    const isPattern = policy?.images.some((glob) => glob.includes('*')) ?? false
    if (isPattern && object.status() !== undefined) patterns.add(title)
    else news.add(title)
  }

  function change(object: PolicyObject): void {
    const { title, gone, resource } = object
    const isOwn = resource.group === IMAGE_POLICY_EXCEPTIONS.group
    if (isOwn && !gone) {
      objects.set(title, object)
      mark(object)
    } else if (objects.get(title) === object) {
      objects.delete(title)
      alarm.clear(title)
      for (const each of [news, patterns, times]) each.drop(title)
    }
    const { policy, namespace } = object
    if (policy) {
      void inSlices(backgroundLane(namespace), markRivals(policy))
      void inSlices(backgroundLane(namespace), markGuarded(policy))
    }
  }

  function markCovering(key: string): void {
    for (const policy of policies.current().covering(nameOfKey(key))) {
      mark(policies.objectOf(policy))
    }
  }

  /** What it no longer disagrees with, or does now. */
  function* markRivals(policy: CompiledPolicy): Work<void> {
    for (const image of policy.images) {
      if (image.includes('*')) continue
      // before each one: hundreds of policies may change together
      yield
      for (const rival of rivalsOf(policy, image, policies.current(), () => '')) {
        mark(policies.objectOf(rival))
      }
    }
  }

  /** What it left nothing of, or does now: the first ones; the others are told at a scan. */
  function* markGuarded(policy: CompiledPolicy): Work<void> {
    let left = MOST_GUARDED
    for (const other of guardedBy(policy)) {
      yield
      if (left === 0) return
      if (other.title === policy.title || !namesAny(other, policy.covers)) continue
      mark(policies.objectOf(other))
      left -= 1
    }
  }

  function guardedBy({ namespace, images }: CompiledPolicy): Iterable<CompiledPolicy> {
    const set = policies.current()
    if (namespace === undefined) return set.policies
    return images
      .filter((glob) => !glob.includes('*'))
      .flatMap((name) => set.covering(name).filter((other) => other.namespace === namespace))
  }

  for (const object of policies.objects()) objects.set(object.title, object)
  for (const object of objects.values()) mark(object)
  const ends = [
    policies.subscribe((changed) => {
      for (const object of changed) change(object)
    }),
    scanner.onScanned((key, _snapshot, failure) => {
      known.note(key, failure)
      markCovering(key)
    }),
    scanner.onForgotten(markCovering),
  ]
  return async () => {
    for (const end of ends) end()
    alarm.close()
    await Promise.all([news, patterns, times].map((each) => each.close()))
  }
}

function namesAny({ images }: CompiledPolicy, covers: (image: string) => boolean): boolean {
  return images.some((glob) => !glob.includes('*') && covers(glob))
}
