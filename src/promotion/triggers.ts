import { nameOfKey } from '../catalog/index.ts'
import type { CompiledPolicy } from '../policies/index.ts'
import { type Alarm, backgroundLane, soon } from '../scheduling/index.ts'
import { isContinuous, type Target, targetOf } from './targets.ts'
import type { PromoterOptions } from './types.ts'

/** Notices what may give a policy something to do. */
export interface Triggers {
  /** Other policies are in force. */
  policiesChanged(): void
  /** A repository was read. */
  scanned(key: string): void
  /**
   * What the index says now is what a survey of this policy goes by.
   *
   * @param certain false: the registry has to answer once more before the survey is complete
   */
  surveyed(policy: CompiledPolicy, name: string, certain: boolean): void
  /** The policy of this title, if it moves workloads, as it is in force now. */
  inForce(title: string): CompiledPolicy | undefined
}

export interface TriggersOptions extends Pick<PromoterOptions, 'review' | 'snapshot'> {
  readonly clock: () => number
  readonly alarm: Alarm
  /** since when this process leads */
  readonly since: number
  /** it may have something to do */
  readonly onDue: (title: string) => void
  /** it has changed, or moves nothing any more */
  readonly onChanged: (title: string) => void
}

export function createTriggers(options: TriggersOptions): Triggers {
  const { review, snapshot, clock, since, alarm, onDue, onChanged } = options
  let policies = new Map<string, CompiledPolicy>()
  let continuous = new Map<string, CompiledPolicy>()
  /** by title, then by key of the repository */
  const seen = new Map<string, Map<string, string>>()
  /** that are not over, by title and key */
  const looks = new Map<string, object>()

  /** Tells if the target is another one than what was seen. */
  function look(policy: CompiledPolicy, key: string, differs: () => void): void {
    const all = review.policies().covering(nameOfKey(key))
    const work = targetOf(policy, snapshot(key), all, { now: clock(), since })
    const asked = `${policy.title} ${key}`
    looks.set(asked, work)
    soon(backgroundLane(policy.namespace), work, (target) => {
      // one that was begun later knows better
      if (looks.get(asked) !== work) return
      looks.delete(asked)
      if (isInForce(policy) && note(policy, key, target)) differs()
    })
  }

  function isInForce(policy: CompiledPolicy): boolean {
    return continuous.get(policy.title) === policy
  }

  function note(policy: CompiledPolicy, key: string, target: Target | undefined): boolean {
    const known = seen.get(policy.title) ?? new Map<string, string>()
    seen.set(policy.title, known)
    if (!target) {
      // What did not move because the registry fails is looked at when it answers again.
      known.delete(key)
      return false
    }
    const ring = `ripe ${policy.title} ${key}`
    if (target.ripensAt === undefined) alarm.clear(ring)
    else alarm.set(ring, target.ripensAt, () => again(policy.title, key))
    const differs = known.get(key) !== target.key
    known.set(key, target.key)
    return differs
  }

  function again(title: string, key: string): void {
    const policy = continuous.get(title)
    if (policy) look(policy, key, () => onDue(title))
  }

  return {
    inForce: (title) => continuous.get(title),
    policiesChanged() {
      const before = policies
      policies = new Map(review.policies().policies.map((policy) => [policy.title, policy]))
      const titles = new Set([...before.keys(), ...policies.keys()])
      const changed = [...titles].filter((title) => before.get(title) !== policies.get(title))
      const moved = continuous
      continuous = new Map([...policies].filter(([, policy]) => isContinuous(policy)))
      for (const title of changed) {
        if (moved.has(title)) onChanged(title)
        if (!continuous.has(title)) seen.delete(title)
      }
      for (const title of touched(changed, before, policies, continuous)) onDue(title)
    },
    scanned(key) {
      for (const { title } of review.policies().covering(nameOfKey(key))) again(title, key)
    },
    surveyed(policy, name, certain) {
      const known = seen.get(policy.title)
      if (certain && !known?.has(name)) look(policy, name, () => {})
      if (certain || !known) return
      for (const key of known.keys()) if (nameOfKey(key) === name) known.delete(key)
    },
  }
}

/**
 * The policies whose workloads a change of other policies may concern: the guard rails of the
 * cluster hold everywhere, others in their namespace.
 */
function touched(
  changed: readonly string[],
  before: ReadonlyMap<string, CompiledPolicy>,
  now: ReadonlyMap<string, CompiledPolicy>,
  continuous: ReadonlyMap<string, CompiledPolicy>,
): Iterable<string> {
  const namespaces = new Set(
    changed.map((title) => (now.get(title) ?? before.get(title))?.namespace),
  )
  if (namespaces.has(undefined)) return continuous.keys()
  return [...continuous]
    .filter(([, { namespace }]) => namespace === undefined || namespaces.has(namespace))
    .map(([title]) => title)
}
