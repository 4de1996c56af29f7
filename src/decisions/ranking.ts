import type { DigestOf, Ranking, TagSelector } from '../tags/types.ts'
import type { RepositorySnapshot } from './ports.ts'

const rankings = new WeakMap<readonly string[], WeakMap<TagSelector, Ranking>>()

/**
 * A repository's tags ranked by a policy's rule: remembered for as long as the tag list lives,
 * and made from the last ranking at the cost of the change when a scan added or removed tags.
 * That of a digest rule depends on more than the tags: it is made anew.
 */
export function rankingOf(selector: TagSelector, snapshot: RepositorySnapshot): Ranking {
  if ('digest' in selector.rule.order) {
    return selector.rank(snapshot.tags, digestsOf(snapshot))
  }
  let known = rankings.get(snapshot.tags)
  if (!known) {
    known = new WeakMap()
    rankings.set(snapshot.tags, known)
  }
  let ranking = known.get(selector)
  if (!ranking) {
    const change = snapshot.change
    const before = change && rankings.get(change.from)?.get(selector)
    ranking = change && before ? selector.rerank(before, change) : selector.rank(snapshot.tags)
    known.set(selector, ranking)
  }
  return ranking
}

/** The digests that are known behind a repository's tags, as digest rules ask for them. */
export function digestsOf(snapshot: RepositorySnapshot | undefined): DigestOf {
  return (tag) => snapshot?.manifest(tag)?.digest
}

/** Whether tag `a` ranks strictly above tag `b`; false when the rule does not permit both. */
export function ranksAbove(selector: TagSelector, a: string, b: string): boolean {
  if (a === b) {
    return false
  }
  const [best, other] = selector.rank([a, b]).permitted
  return other !== undefined && best?.tag === a
}
