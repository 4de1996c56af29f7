import type { CompiledPolicy } from '../policies/types.ts'
import type { Defaults } from './types.ts'

/** What counts beside a policy on trial. */
export const TRIAL_DEFAULTS: Defaults = Object.freeze({
  latest: 'Deny',
  unmatched: 'Allow',
  enforcement: 'Audit',
  ownedObjects: 'Warn',
})

/**
 * A policy as it would be if it always chose: what it decides of a repository without a tag is the
 * newest that it permits.
 *
 * @param reference Tag: digests are not looked at
 */
export function trialOf(
  policy: CompiledPolicy,
  reference: CompiledPolicy['reference'],
): CompiledPolicy {
  return Object.freeze({
    ...policy,
    action: 'Track',
    latest: 'Resolve',
    reference,
    enforcement: 'Enforce',
    whenRegistryFails: 'UseCached',
    movedTags: 'Allow',
  } satisfies CompiledPolicy)
}
