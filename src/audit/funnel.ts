import { type Facts, funnelOf, type Question } from '../decisions/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import type { ReportFunnel } from '../reports/types.ts'

const MOST_LOSERS = 10

/** How a policy narrows down the tags of an image's repository, as a report shows it. */
export function reportFunnel(
  question: Question,
  policy: CompiledPolicy,
  facts: Facts,
): ReportFunnel {
  const snapshot = facts.snapshot(question.image.name)
  const { counts, usable, losers } = funnelOf(question, policy, facts)
  const [chosen] = usable
  const { pattern } = policy.selector.rule
  return {
    repository: question.image.name,
    policy: policy.title,
    steps: [
      { label: 'tags in the index', count: counts.tags },
      { label: pattern === undefined ? 'are images' : `match ${pattern}`, count: counts.matched },
      { label: 'are versions', count: counts.versions },
      { label: `in ${policy.selector.description}`, count: counts.permitted },
      { label: 'old enough, on every platform', count: usable.length },
    ],
    chosen: chosen && { tag: chosen.tag, digest: snapshot?.manifest(chosen.tag)?.digest },
    losers: losers.slice(0, MOST_LOSERS),
    scannedAt: snapshot?.scannedAt || undefined,
  }
}
