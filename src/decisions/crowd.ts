import type { CompiledPolicy } from '../policies/types.ts'
import type { Finding } from './types.ts'

/** So many policies of a namespace may be for one image. */
const MOST_POLICIES = 50
/** So many judgements one object may cost: each of its images by each policy that is for it. */
export const MOST_JUDGEMENTS = 50_000

/** Whether a namespace has so many policies for one image that judging it would hold up others. */
export function isCrowded(policies: readonly CompiledPolicy[]): boolean {
  // those of the namespace come first
  return policies[MOST_POLICIES]?.namespace !== undefined
}

/** What is said of an image that more policies are for than a namespace may have. */
export function tooManyPolicies([first]: readonly CompiledPolicy[]): Finding {
  return crowd(
    `More than ${MOST_POLICIES} ImagePolicies of ${first?.namespace} are for this image. Delete some, or narrow them by images and match.`,
  )
}

/** What is said of an image of an object that asks for too much. */
export function tooManyJudgements(): Finding {
  return crowd(
    `The object has so many images, and so many policies are for them, that this one is not judged: ${MOST_JUDGEMENTS} judgements are made for one object. Split it, or merge policies.`,
  )
}

function crowd(message: string): Finding {
  return {
    reason: 'PolicyConflict',
    enforcement: 'Enforce',
    policy: undefined,
    message,
    use: undefined,
    cause: undefined,
  }
}
