import type { ReappliedImage } from '../admission/index.ts'
import { type Change, isAnswer, type ReasonCode, ranking } from '../decisions/index.ts'
import type { Work } from '../pieces/index.ts'

/** While the registry fails, new pods could not get the new image. */
const FAILING: ReadonlySet<ReasonCode> = new Set(['RegistryUnavailable', 'Timeout'])

/** An image that would move. */
export type Moving = ReappliedImage & { readonly change: Change }

/**
 * Whether a move that nobody asked for is certain to be forward, by facts that are up to date.
 * What an apply may do, such as going back when a tag is gone, is not done unasked.
 *
 * @param since when this process began to lead: an index from before may lack what another
 *   leader has promoted since. ms since the epoch
 */
export function isCertain(
  { change, findings, from, policy, snapshot }: Moving,
  since: number,
): boolean {
  if (!snapshot || findings.some(({ reason }) => FAILING.has(reason))) return false
  if (!('digest' in policy.selector.rule.order)) {
    return change.tag !== undefined && policy.selector.outranks(change.tag, from)
  }
  // Digests have no order: only the newest answer tells which of two comes later.
  const fact = change.tag === undefined ? undefined : snapshot.manifest(change.tag)
  return fact !== undefined && fact.checkedAt >= since
}

/**
 * Whether an image may stay only because the registry has not said enough of a newer tag: neither
 * its digest nor, where a policy asks for them, its platforms.
 */
export function* isUnanswered({ change, from, policy, snapshot }: ReappliedImage): Work<boolean> {
  if (change || !snapshot || 'digest' in policy.selector.rule.order) return false
  const { permitted } = yield* ranking(policy.selector, snapshot)
  const newest = permitted.find(({ tag }) => isAnswer(policy, tag))?.tag
  if (newest === undefined || !policy.selector.outranks(newest, from)) return false
  const fact = snapshot.manifest(newest)
  return fact === undefined || (policy.platforms.length > 0 && fact.platforms === undefined)
}

/** The version that an image moves to, as its policy orders it: a tag, or a digest. */
export function versionOf({ change, policy }: Moving): string {
  const { tag, digest } = change
  return ('digest' in policy.selector.rule.order ? (digest ?? tag) : (tag ?? digest)) ?? ''
}
