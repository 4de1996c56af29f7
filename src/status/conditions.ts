import type { Said } from '../cluster/index.ts'
import type { Condition } from '../policies/types.ts'
import type { Reason } from './reasons.ts'

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
