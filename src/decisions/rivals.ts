import type { CompiledPolicy, PolicySet } from '../policies/types.ts'

/** So many rivals of one policy are found for one repository. */
const MOST_RIVALS = 20

/** Whether a policy may move an image. One that only judges or only audits never does. */
export function moves({ action, enforcement }: CompiledPolicy): boolean {
  return action !== 'Verify' && enforcement !== 'Audit'
}

/**
 * Policies that are as specific as this one for a repository, so that an image is refused where
 * the two would choose differently.
 *
 * @param scopeOf which workloads a policy is narrowed to, as a text; '' for all
 */
export function rivalsOf(
  policy: CompiledPolicy,
  image: string,
  set: Pick<PolicySet, 'covering'>,
  scopeOf: (policy: CompiledPolicy) => string,
): CompiledPolicy[] {
  if (!moves(policy)) return []
  const scope = scopeOf(policy)
  const mayMeet = (other: CompiledPolicy) => {
    const theirs = scopeOf(other)
    // two that are narrowed in different ways may never meet; nobody can tell
    return scope === '' || theirs === '' || scope === theirs
  }
  return set
    .covering(image)
    .values()
    .filter(
      (other) =>
        other.title !== policy.title &&
        moves(other) &&
        other.kind === policy.kind &&
        other.namespace === policy.namespace &&
        other.specificity(image) === policy.specificity(image) &&
        choiceOf(other) !== choiceOf(policy) &&
        mayMeet(other),
    )
    .take(MOST_RIVALS)
    .toArray()
}

const choices = new WeakMap<CompiledPolicy, string>()

/** Equal for two that would always choose the same. */
function choiceOf(policy: CompiledPolicy): string {
  const known = choices.get(policy)
  if (known !== undefined) return known
  const { selector, action, reference, minimumAge, platforms } = policy
  const choice = JSON.stringify([selector.rule, action, reference, minimumAge, platforms])
  choices.set(policy, choice)
  return choice
}
