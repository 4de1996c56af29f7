import { finish, type Work } from '../pieces/index.ts'
import type { DigestOf, Ranking, TagSelector } from '../tags/types.ts'
import type { RepositorySnapshot } from './ports.ts'

/** Of all rankings, so many candidates are remembered: some 5 MiB. */
const MOST_CANDIDATES = 50_000
/** A ranking counts as no more than this, so that some of the largest are remembered too. */
const LARGEST = 6_250
/** What a ranking without candidates counts as. */
const SMALLEST = 20

/** So many that nobody goes on with are kept for who asks again. */
const MOST_UNFINISHED = 3

/** A ranking, or the making of it, with which all go on who wait for it. */
interface Attempt {
  readonly work: Work<Ranking>
  ranking: Ranking | undefined
}

type Attempts = WeakMap<TagSelector, WeakRef<Attempt>>

const attempts = new WeakMap<readonly string[], Attempts>()
const unfinished = new Set<Attempt>()
/** the least recently used one first */
const remembered = new Map<Attempt, number>()
let candidates = 0

/**
 * A repository's tags ranked by a policy's rule: remembered while it is in use, and made from the
 * last ranking at the cost of the change when a scan added or removed tags. Whoever asks while it is
 * made makes it together with the others. That of a digest rule depends on more than the tags: it is
 * made anew.
 */
export function* ranking(selector: TagSelector, snapshot: RepositorySnapshot): Work<Ranking> {
  if ('digest' in selector.rule.order) {
    return yield* selector.ranking(snapshot.tags, digestsOf(snapshot))
  }
  const attempt = attemptAt(selector, snapshot)
  while (!attempt.ranking) {
    const step = attempt.work.next()
    // without a value where somebody else's step has failed: so does this
    if (step.done) attempt.ranking = step.value ?? selector.rank(snapshot.tags)
    else yield
  }
  unfinished.delete(attempt)
  remember(attempt, attempt.ranking)
  return attempt.ranking
}

/** What ranking() gives, at once. */
export function rankingOf(selector: TagSelector, snapshot: RepositorySnapshot): Ranking {
  return finish(ranking(selector, snapshot))
}

function attemptAt(selector: TagSelector, { tags, change }: RepositorySnapshot): Attempt {
  let known = attempts.get(tags)
  if (!known) {
    known = new WeakMap()
    attempts.set(tags, known)
  }
  const there = known.get(selector)?.deref()
  if (there) return there
  const before = change && attempts.get(change.from)?.get(selector)?.deref()
  const work =
    change && before?.ranking ? selector.reranking(before.ranking, change) : selector.ranking(tags)
  const attempt: Attempt = { work, ranking: undefined }
  known.set(selector, new WeakRef(attempt))
  if (before) forget(before)
  unfinished.add(attempt)
  for (const oldest of unfinished) {
    if (unfinished.size <= MOST_UNFINISHED) break
    unfinished.delete(oldest)
  }
  return attempt
}

function remember(attempt: Attempt, { permitted }: Ranking): void {
  forget(attempt)
  const count = Math.min(SMALLEST + permitted.length, LARGEST)
  remembered.set(attempt, count)
  candidates += count
  for (const [oldest] of remembered) {
    if (candidates <= MOST_CANDIDATES) break
    forget(oldest)
  }
}

function forget(attempt: Attempt): void {
  candidates -= remembered.get(attempt) ?? 0
  remembered.delete(attempt)
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
