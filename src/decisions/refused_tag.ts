import type { CompiledPolicy } from '../policies/types.ts'
import type { TagReason } from '../tags/types.ts'

/** What is wrong with a tag, for the reasons where the policy's own words do not say it. */
export function wrongWith(policy: CompiledPolicy, tag: string, reason: TagReason): string {
  const rule = policy.selector.rule
  switch (reason) {
    case 'NotMatched':
      return `${tag} does not match ${rule.pattern ?? 'the pattern'}`
    case 'Ignored':
      return `${tag} matches the policy's ignore list`
    case 'Artifact':
      return `${tag} names a signature or attestation, not an image`
    case 'NotAVersion':
      return `${tag} is not a version of three numbers`
    case 'NotANumber':
      return `${tag} is not a decimal number`
    case 'Prerelease':
      return `${tag} is a prerelease, which neither the range nor the allow list names`
    case 'DigestNotAllowed':
      return `The digest of ${tag} is not in the allowed list`
    default:
      return ''
  }
}
