import { finish } from '../pieces/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import type { Candidate, FunnelCounts, TagReason } from '../tags/types.ts'
import { permittedTags, standingOfAll } from './candidates.ts'
import type { Inquiry } from './inquiry.ts'
import type { Facts } from './ports.ts'
import { rankingOf } from './ranking.ts'
import type { Question } from './types.ts'

/** How a policy came to its choice: how many tags passed each step, and why the others did not. */
export interface Funnel {
  readonly counts: FunnelCounts
  /** permitted by every policy, old enough and on every platform, best first */
  readonly usable: readonly Candidate[]
  /** every other tag with its reason; versions first, best first */
  readonly losers: readonly { readonly tag: string; readonly reason: TagReason }[]
}

/**
 * Shows how a policy narrows down a repository's tags, by the facts that are known. Costs time in
 * the number of tags: for `explain`, not for reviews.
 */
export function funnelOf(question: Question, policy: CompiledPolicy, facts: Facts): Funnel {
  const snapshot = facts.snapshot(question.image.name)
  const inquiry: Inquiry = { question, facts, snapshot, needs: [], wishes: [] }
  const usable: Candidate[] = []
  const unfit: { tag: string; reason: TagReason }[] = []
  for (const candidate of finish(permittedTags(inquiry, policy))) {
    const standing = standingOfAll(inquiry, policy, candidate.tag)
    if (standing === 'good' || standing === 'unknown') {
      usable.push(candidate)
    } else {
      unfit.push({ tag: candidate.tag, reason: standing })
    }
  }
  if (!snapshot) {
    return { counts: { tags: 0, matched: 0, versions: 0, permitted: 0 }, usable, losers: unfit }
  }
  const ranking = rankingOf(policy.selector, snapshot)
  return { counts: ranking.counts, usable, losers: [...unfit, ...ranking.losers()] }
}
