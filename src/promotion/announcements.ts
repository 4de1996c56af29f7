import { type ClusterEvent, typeMetaOf } from '../cluster/index.ts'
import type { CompiledPolicy } from '../policies/index.ts'
import { type Moving, versionOf } from './doubt.ts'
import { type Place, placeTitle } from './movable.ts'
import type { PromoterOptions } from './types.ts'

/** Tells people what happens: events on the workload and on the policy, log lines, metrics. */
export interface Announcements {
  promoted(place: Place, uid: string | undefined, images: readonly Moving[]): void
  failed(place: Place, uid: string | undefined, policy: CompiledPolicy, why: string): void
  stopped(place: Place, uid: string | undefined, policy: CompiledPolicy, why: string): void
  /** @param opening ms since the epoch; undefined: never */
  waiting(policy: CompiledPolicy, count: number, opening: number | undefined): void
}

const LONGEST = 600

export function createAnnouncements(
  options: Pick<PromoterOptions, 'events' | 'log' | 'metrics' | 'subjectOf'>,
): Announcements {
  const { events, log, metrics, subjectOf } = options
  type What = Pick<ClusterEvent, 'type' | 'reason'>

  function onWorkload(place: Place, uid: string | undefined, what: What, message: string): void {
    const { resource, namespace, name } = place
    const about = { ...typeMetaOf(resource), namespace, name, uid }
    events.record({ about, ...what, message: message.slice(0, LONGEST) })
  }

  // The same words for each workload, so that they become one event with a count.
  function onPolicy(policy: CompiledPolicy, what: What, message: string): void {
    const about = subjectOf(policy)
    if (about) events.record({ about, ...what, message: message.slice(0, LONGEST) })
  }

  return {
    promoted(place, uid, images) {
      const [{ policy }] = images as [Moving]
      const what = { type: 'Normal', reason: 'Promoted' } as const
      const moves = images.map((each) => `${each.container}: ${each.from} -> ${versionOf(each)}`)
      const message = `${moves.join(', ')} by ${policy.title}`
      onWorkload(place, uid, what, message)
      const targets = new Set(images.map((each) => `${each.live.name} to ${versionOf(each)}`))
      const which = isForAll(policy) ? '' : `'s ${[...targets].join(', ')}`
      onPolicy(policy, what, `Moved a workload${which}`)
      log?.info({ object: placeTitle(place), policy: policy.title }, `promoted: ${message}`)
      metrics?.promoted(policy.title)
    },
    failed(place, uid, policy, why) {
      const what = { type: 'Warning', reason: 'PromotionFailed' } as const
      onWorkload(place, uid, what, `${policy.title} could not move it: ${why}`)
      onPolicy(policy, what, `A workload could not be moved; its events say why`)
      const fields = { object: placeTitle(place), policy: policy.title }
      log?.warn(fields, `${placeTitle(place)} could not be promoted: ${why}`)
      metrics?.failed(policy.title)
    },
    stopped(place, uid, policy, why) {
      const what = { type: 'Warning', reason: 'PromotionStopped' } as const
      const rest = `The other workloads of ${policy.title} stay until there is another version or the policy changes`
      onWorkload(place, uid, what, `Promotion stopped here: ${why}. ${rest}`)
      const where = isForAll(policy)
        ? `a ${place.resource.kind} of namespace ${place.namespace}, whose events say why`
        : `${placeTitle(place)}: ${why}`
      onPolicy(policy, what, `Promotion stopped at ${where}. ${rest}`)
      const fields = { object: placeTitle(place), policy: policy.title }
      log?.warn(fields, `promotion by ${policy.title} stopped at ${placeTitle(place)}: ${why}`)
      metrics?.stopped(policy.title)
    },
    waiting(policy, count, opening) {
      const until = opening === undefined ? 'which never opens' : `at ${iso(opening)}`
      const workloads = count === 1 ? '1 workload waits' : `${count} workloads wait`
      const message = `${workloads} for the next window, ${until}`
      onPolicy(policy, { type: 'Normal', reason: 'PromotionWaiting' }, message)
      log?.info({ policy: policy.title }, `promotion by ${policy.title}: ${message}`)
    },
  }
}

/** Events on what is in no namespace are read by others than those whose workload it is. */
function isForAll({ namespace }: CompiledPolicy): boolean {
  return namespace === undefined
}

function iso(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19)}Z`
}
