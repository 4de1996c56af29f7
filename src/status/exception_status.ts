import { settled, timeText } from '../cluster/index.ts'
import type { ImagePolicyExceptionStatus } from '../policies/types.ts'
import { describeField, type PolicyObject } from '../sources/index.ts'
import { said, stalled } from './conditions.ts'

/** An exception that ends within this, in ms, says so. */
const SOON = 7 * 24 * 3_600_000

/** In the words of the reasons of its condition. */
export type ExceptionState = 'Active' | 'ExpiresSoon' | 'Expired' | 'Invalid'

type Facts = Pick<PolicyObject, 'generation' | 'exception' | 'problems'>

/** What an exception is at a moment, and when that changes by itself; times are ms since the epoch. */
export function exceptionStateOf(
  { exception, problems }: Pick<PolicyObject, 'exception' | 'problems'>,
  now: number,
): { readonly state: ExceptionState; readonly until: number | undefined } {
  if (problems.length > 0 || !exception) return { state: 'Invalid', until: undefined }
  const { expires } = exception
  if (now >= expires) return { state: 'Expired', until: undefined }
  return now >= expires - SOON
    ? { state: 'ExpiresSoon', until: expires }
    : { state: 'Active', until: expires - SOON }
}

/** The status of an ImagePolicyException. */
export function exceptionStatusOf(
  object: Facts,
  before: ImagePolicyExceptionStatus | undefined,
  now: number,
): ImagePolicyExceptionStatus {
  const { generation, exception, problems } = object
  const { state } = exceptionStateOf(object, now)
  const end = timeText(exception?.expires ?? 0)
  const conditions = {
    Active: () => [said('Ready', 'True', 'Active', `counts until ${end}`)],
    ExpiresSoon: () => [
      said(
        'Ready',
        'True',
        'ExpiresSoon',
        `counts until ${end} only. Remove the need for it, or set another expires`,
      ),
    ],
    // Not a failure: a GitOps tool that waits for what it applied must not stop at an old exception.
    Expired: () => [
      said(
        'Ready',
        'True',
        'Expired',
        `ended ${end} and lets nothing through any more. Delete it, or set another expires`,
      ),
    ],
    Invalid: () =>
      stalled(
        'InvalidException',
        `${problems.map(describeField).join('; ')}. Until then it lets nothing through`,
      ),
  }[state]()
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions: settled(conditions, before?.conditions, generation, now),
    expired: state === 'Expired',
  }
}
