import {
  deciding,
  plainQuestion,
  type RepositorySnapshot,
  rivalsOf,
  TRIAL_DEFAULTS,
  trialOf,
} from '../decisions/index.ts'
import { parseReference } from '../images/index.ts'
import type { Work } from '../pieces/index.ts'
import type { CompiledPolicy, PolicySet } from '../policies/types.ts'
import type { Rivalry, Selected } from './policy_status.ts'
import { type Covered, newestBeside, newestBy } from './selection.ts'

/** Which workloads a policy is narrowed to; '' for all. */
type ScopeOf = (policy: CompiledPolicy) => string

/**
 * Another policy that is as specific for a repository, is for the same workloads, and would choose
 * something else, which a review answers with PolicyConflict, or permits nothing that this one
 * does. Told as far as the index knows.
 *
 * @param selected what the policy selects of what it covers, in the same order
 */
export function* rivalryOf(
  policy: CompiledPolicy,
  covered: readonly Covered[],
  selected: readonly Selected[],
  set: Pick<PolicySet, 'covering'>,
  scopeOf: ScopeOf,
  now: number,
): Work<Rivalry | undefined> {
  for (const [index, { image, newest }] of selected.entries()) {
    const snapshot = covered[index]?.snapshot
    if (!snapshot || !newest) continue
    yield
    for (const rival of rivalsOf(policy, image, set, scopeOf)) {
      const found = yield* compare(policy, rival, image, newest.tag, snapshot, now)
      if (found) return found
      yield
    }
  }
  return undefined
}

function* compare(
  policy: CompiledPolicy,
  rival: CompiledPolicy,
  image: string,
  tag: string,
  snapshot: RepositorySnapshot,
  now: number,
): Work<Rivalry | undefined> {
  const facts = { snapshot: () => snapshot, failure: () => undefined, now }
  const asked = parseReference(`${image}:${tag}`)
  // Where both write the digest or neither does, tags tell enough, and digests may not be known.
  const alike = policy.reference === rival.reference
  const trial = (each: CompiledPolicy) => (alike ? { ...each, reference: 'Tag' as const } : each)
  const choice = (policies: readonly CompiledPolicy[]) =>
    deciding(plainQuestion(asked, policies.map(trial), TRIAL_DEFAULTS), facts)
  const together = yield* choice([policy, rival])
  if (!together.findings.some(({ reason }) => reason === 'PolicyConflict')) {
    const both = yield* newestBeside(policy, rival, image, snapshot, now)
    if (!both.findings.some(({ reason }) => reason === 'NoPermittedTag')) return undefined
    const theirs = yield* newestBy([trialOf(rival, 'Tag')], image, snapshot, now)
    return { image, rival: rival.title, mine: tag, theirs: theirs.change?.tag ?? 'no tag' }
  }
  const shown = function* (each: CompiledPolicy) {
    return (yield* choice([each])).change?.to.slice(image.length + 1) ?? tag
  }
  const mine = yield* shown(policy)
  return { image, rival: rival.title, mine, theirs: yield* shown(rival) }
}
