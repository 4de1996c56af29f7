import { isDeepStrictEqual } from 'node:util'
import type { Condition } from '../policies/types.ts'
import { timeText } from '../repositories/index.ts'
import type { Reason } from './reasons.ts'

/** A condition without its times. */
export type Said = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

/** The schema's limit. */
const LONGEST_MESSAGE = 32_768

export function said(
  type: 'Ready' | 'Stalled' | 'Reconciling',
  status: Condition['status'],
  reason: Reason,
  message: string,
): Said {
  const short =
    message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message
  return { type, status, reason, message: short }
}

/** Not ready, and not to become so without a change: for kstatus, a failure. */
export function stalled(reason: Reason, message: string): Said[] {
  return [said('Ready', 'False', reason, message), said('Stalled', 'True', reason, message)]
}

/** With their times: when each last changed its status. */
export function settled(
  conditions: readonly Said[],
  before: readonly Condition[] | undefined,
  generation: number | undefined,
  now: number,
): Condition[] {
  return conditions.map((condition) => {
    const same = before?.find(
      ({ type, status }) => type === condition.type && status === condition.status,
    )
    return {
      ...condition,
      ...(generation !== undefined && { observedGeneration: generation }),
      lastTransitionTime: same?.lastTransitionTime ?? timeText(now),
    }
  })
}

/** The fields of a status that differ, as a JSON Merge Patch: null for what is to go. */
export function changesOf(before: object, after: object): Record<string, unknown> {
  const [from, to] = [before as Record<string, unknown>, after as Record<string, unknown>]
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  return Object.fromEntries(
    keys
      .filter((key) => !isDeepStrictEqual(from[key], to[key]))
      .map((key) => [key, to[key] ?? null]),
  )
}
