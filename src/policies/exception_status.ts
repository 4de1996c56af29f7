import { describeError, type TagwardenError } from '../errors.ts'
import type { CompiledException, Condition, ImagePolicyExceptionStatus } from './types.ts'

/** How far an exception is from its end. */
export type ExceptionState = 'Active' | 'ExpiresSoon' | 'Expired'

const SOON = 7 * 86_400_000
const LONGEST_MESSAGE = 1024

/** Whether an exception counts at a moment, and for how long still. */
export function exceptionState({ expires }: CompiledException, now: number): ExceptionState {
  if (now >= expires) return 'Expired'
  return now >= expires - SOON ? 'ExpiresSoon' : 'Active'
}

/** When its state changes next, in ms since the epoch; undefined once it has expired. */
export function nextState({ expires }: CompiledException, now: number): number | undefined {
  if (now >= expires) return undefined
  return now >= expires - SOON ? expires : expires - SOON
}

/** What an exception's status is made from. */
export interface ExceptionFacts {
  /** undefined when it is wrong: see `problems` */
  readonly exception: CompiledException | undefined
  readonly problems: readonly TagwardenError[]
  readonly generation: number | undefined
  /** its status until now */
  readonly before: ImagePolicyExceptionStatus | undefined
  /** ms since the epoch */
  readonly now: number
}

/**
 * The status of an ImagePolicyException: Ready while it counts, Stalled when it is wrong. Equal to
 * the one before if nothing changed.
 */
export function exceptionStatus(facts: ExceptionFacts): ImagePolicyExceptionStatus {
  const { exception, problems, generation, now } = facts
  const observed = generation === undefined ? {} : { observedGeneration: generation }
  if (exception === undefined) {
    const message = problems.map(describeError).join('\n').slice(0, LONGEST_MESSAGE)
    const said = { reason: 'Invalid', message }
    return {
      ...observed,
      conditions: [
        settled({ type: 'Ready', status: 'False', ...said }, facts),
        settled({ type: 'Stalled', status: 'True', ...said }, facts),
      ],
      expired: false,
    }
  }
  const state = exceptionState(exception, now)
  const end = secondsText(exception.expires)
  const messages = {
    Active: `counts until ${end}`,
    ExpiresSoon: `counts until ${end}: move what it is for, or give it another end`,
    Expired: `ended at ${end} and lets nothing through: delete it, or give it another end`,
  }
  const expired = state === 'Expired'
  const status = expired ? 'False' : 'True'
  const ready = { type: 'Ready', status, reason: state, message: messages[state] } as const
  return { ...observed, conditions: [settled(ready, facts)], expired }
}

/** With the time at which its status changed, which stays for as long as the status does. */
function settled(
  condition: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>,
  { before, generation, now }: ExceptionFacts,
): Condition {
  const same = before?.conditions?.find(
    ({ type, status }) => type === condition.type && status === condition.status,
  )
  return {
    ...condition,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime: same?.lastTransitionTime ?? secondsText(now),
  }
}

/** RFC 3339, to the second as Kubernetes writes it. */
function secondsText(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z')
}
