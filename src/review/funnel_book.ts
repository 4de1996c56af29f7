import { type Facts, funnelOf, type Question } from '../decisions/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import type { ReportFunnel } from '../reports/types.ts'

/** The funnels of a report: one for each policy and repository that something is found of. */
export interface FunnelBook {
  /** @returns its key; undefined where no policy or no list of tags led to the finding */
  note(
    question: Question | undefined,
    policy: CompiledPolicy | undefined,
    facts: Facts,
  ): string | undefined
  readonly funnels: () => Readonly<Record<string, ReportFunnel>>
}

const MOST_LOSERS = 10

/** @param most a page can show no more */
export function createFunnelBook(most: number): FunnelBook {
  const noted = new Map<string, ReportFunnel>()
  return {
    note(question, policy, facts) {
      if (!question || !policy || !facts.snapshot(question.image.name)) return undefined
      const key = `${policy.title} ${question.image.name}`
      if (noted.has(key)) return key
      if (noted.size >= most) return undefined
      noted.set(key, reportFunnel(question, policy, facts))
      return key
    },
    funnels: () => Object.fromEntries(noted),
  }
}

/** How a policy narrows down the tags of an image's repository, as a report shows it. */
function reportFunnel(question: Question, policy: CompiledPolicy, facts: Facts): ReportFunnel {
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
