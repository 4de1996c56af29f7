import type { RepositorySnapshot } from '../decisions/index.ts'
import type { Work } from '../pieces/index.ts'
import type { CompiledPolicy, PolicySet } from '../policies/types.ts'
import type { Selected } from './policy_status.ts'
import { type Covered, newestBeside } from './selection.ts'

/** A repository of which nothing is permitted, since another policy counts too. */
export interface ShutOut {
  readonly image: string
  /** title of the other policy */
  readonly by: string
}

/** So many other policies are looked at for one repository. */
const MOST_OTHERS = 20

/**
 * Whether another policy that always counts too, such as a guard rail of the cluster, permits
 * nothing that this one does of a repository that it names: then every image of it is refused. Told
 * as far as the index knows.
 *
 * @param selected what the policy selects of what it covers, in the same order
 * @param scopeOf which workloads a policy is narrowed to, as a text; '' for all
 */
export function* shutOutOf(
  policy: CompiledPolicy,
  covered: readonly Covered[],
  selected: readonly Selected[],
  set: Pick<PolicySet, 'covering'>,
  scopeOf: (policy: CompiledPolicy) => string,
  now: number,
): Work<ShutOut | undefined> {
  if (policy.enforcement !== 'Enforce' || ranksDigests(policy)) return undefined
  for (const [index, { image, named, newest }] of selected.entries()) {
    const snapshot = covered[index]?.snapshot
    if (!named || !newest || !snapshot) continue
    yield
    for (const other of othersOf(policy, image, set, scopeOf)) {
      if (yield* isEmpty(policy, other, image, snapshot, now)) return { image, by: other.title }
      yield
    }
  }
  return undefined
}

/** Policies that count wherever this one does. */
function othersOf(
  policy: CompiledPolicy,
  image: string,
  set: Pick<PolicySet, 'covering'>,
  scopeOf: (policy: CompiledPolicy) => string,
): CompiledPolicy[] {
  const reaches = ({ namespace, namespaceSelector }: CompiledPolicy) =>
    namespace === undefined ? namespaceSelector === undefined : namespace === policy.namespace
  return set
    .covering(image)
    .values()
    .filter(
      (other) =>
        other.title !== policy.title &&
        other.enforcement === 'Enforce' &&
        !ranksDigests(other) &&
        reaches(other) &&
        ['', scopeOf(policy)].includes(scopeOf(other)),
    )
    .take(MOST_OTHERS)
    .toArray()
}

/** What such a policy permits is not told by tags alone. */
function ranksDigests({ selector }: CompiledPolicy): boolean {
  return 'digest' in selector.rule.order
}

function* isEmpty(
  policy: CompiledPolicy,
  other: CompiledPolicy,
  image: string,
  snapshot: RepositorySnapshot,
  now: number,
): Work<boolean> {
  const { findings, needs } = yield* newestBeside(policy, other, image, snapshot, now)
  return needs.length === 0 && findings.some(({ reason }) => reason === 'NoPermittedTag')
}
