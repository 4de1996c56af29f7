import type { DigestOf, Ranking, TagSelector } from '../tags/types.ts'
import type { RepositorySnapshot } from './ports.ts'

/** Of all rankings, so many candidates are remembered: some 5 MiB. */
const MOST_CANDIDATES = 50_000
/** A ranking counts as no more than this, so that some of the largest are remembered too. */
const LARGEST = 6_250
/** What a ranking without candidates counts as. */
const SMALLEST = 20

const rankings = new WeakMap<readonly string[], WeakMap<TagSelector, WeakRef<Ranking>>>()
/** the least recently used one first */
const remembered = new Map<Ranking, number>()
let candidates = 0

/**
 * A repository's tags ranked by a policy's rule: remembered while it is in use, and made from the
 * last ranking at the cost of the change when a scan added or removed tags. That of a digest rule
 * depends on more than the tags: it is made anew.
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
  let ranking = known.get(selector)?.deref()
  if (!ranking) {
    const { change } = snapshot
    const before = change && rankings.get(change.from)?.get(selector)?.deref()
    ranking = change && before ? selector.rerank(before, change) : selector.rank(snapshot.tags)
    known.set(selector, new WeakRef(ranking))
    if (before) forget(before)
  }
  remember(ranking)
  return ranking
}

function remember(ranking: Ranking): void {
  forget(ranking)
  const count = Math.min(SMALLEST + ranking.permitted.length, LARGEST)
  remembered.set(ranking, count)
  candidates += count
  for (const [oldest] of remembered) {
    if (candidates <= MOST_CANDIDATES) break
    forget(oldest)
  }
}

function forget(ranking: Ranking): void {
  candidates -= remembered.get(ranking) ?? 0
  remembered.delete(ranking)
}

/** The digests that are known behind a repository's tags, as digest rules ask for them. */
export function digestsOf(snapshot: RepositorySnapshot | undefined): DigestOf {
  return (tag) => snapshot?.manifest(tag)?.digest
}

/** Whether something permitted may ever be newer than a tag: not than what is above the range. */
export function canBePassed(selector: TagSelector, tag: string): boolean {
  const verdict = selector.judge(tag)
  return verdict.permitted || verdict.reason !== 'OutOfRange'
}

/** Whether tag `a` ranks strictly above tag `b`; false when the rule does not permit both. */
export function ranksAbove(selector: TagSelector, a: string, b: string): boolean {
  if (a === b) {
    return false
  }
  const [best, other] = selector.rank([a, b]).permitted
  return other !== undefined && best?.tag === a
}
