import { eachOf, finish, sorted, type Work } from '../pieces/index.ts'
import { compareBytes } from './byte_order.ts'
import { changedList, type Insertion, insertionPoint } from './changed_list.ts'
import type { TagFilter } from './filter.ts'
import type { Key, Order } from './order.ts'
import { type Entry, isMatched, isPermitted, Judge, type Standing } from './standing.ts'
import { TagSet } from './tag_set.ts'
import type {
  Candidate,
  DigestOf,
  Ranking,
  TagListChange,
  TagReason,
  TagRule,
  TagSelector,
  TagVerdict,
} from './types.ts'

/** What a ranking was made of. */
interface Origin {
  readonly selector: TagSelector
  readonly tags: TagSet
}

/** How many tags passed each step; see FunnelCounts. */
interface Tally {
  matched: number
  versions: number
  permitted: number
}

function count<K extends Key>(standing: Standing<K>, tally: Tally): void {
  if (isMatched(standing)) tally.matched++
  if (typeof standing !== 'string') tally.versions++
  if (isPermitted(standing)) tally.permitted++
}

function tallyOf<K extends Key>(standings: readonly Standing<K>[]): Tally {
  const tally = { matched: 0, versions: 0, permitted: 0 }
  for (const standing of standings) count(standing, tally)
  return tally
}

const origins = new WeakMap<Ranking, Origin>()

/** A change of more than one tag in this many is ranked anew. */
const LARGE_CHANGE = 8
/** So many tags are judged before others may go first: the slowest rule takes 0.3 ms for one. */
const AT_ONCE = 16

/** A filter and an order put together. */
export class RuleSelector<K extends Key> implements TagSelector {
  readonly rule: TagRule
  readonly description: string
  readonly #judge: Judge<K>

  constructor(rule: TagRule, filter: TagFilter, order: Order<K>) {
    this.rule = rule
    this.description = order.description
    this.#judge = new Judge(filter, order)
  }

  judge(tag: string, digestOf?: DigestOf): TagVerdict {
    const standing = this.#judge.standing(tag, digestOf)
    if (typeof standing === 'string') {
      return { permitted: false, tag, reason: standing }
    }
    const { candidate, reason } = standing
    return reason ? { permitted: false, tag, reason } : { permitted: true, ...candidate }
  }

  outranks(a: string, b: string): boolean {
    if ('digest' in this.rule.order) return false
    const one = this.#judge.versionOf(a)
    const other = this.#judge.versionOf(b)
    return one !== undefined && other !== undefined && this.#judge.compare(one, other) < 0
  }

  rank(tags: readonly string[], digestOf?: DigestOf): Ranking {
    return finish(this.ranking(tags, digestOf))
  }

  rerank(previous: Ranking, change: TagListChange, digestOf?: DigestOf): Ranking {
    return finish(this.reranking(previous, change, digestOf))
  }

  ranking(tags: readonly string[], digestOf?: DigestOf): Work<Ranking> {
    return this.#rank(TagSet.of(tags), digestOf)
  }

  *reranking(previous: Ranking, change: TagListChange, digestOf?: DigestOf): Work<Ranking> {
    const origin = origins.get(previous)
    if (origin?.selector !== this) {
      throw new TypeError('the previous ranking was not made by this selector')
    }
    const added = new Set(change.added)
    const removed = new Set(change.removed)
    const gone = [...removed].filter((tag) => !added.has(tag) && origin.tags.has(tag))
    const fresh = [...added].filter((tag) => !origin.tags.has(tag))
    const tags = origin.tags.change(gone, fresh)
    const isLarge = (gone.length + fresh.length) * LARGE_CHANGE > tags.size
    if (isLarge || this.#judge.order.needsDigests) {
      return yield* this.#rank(tags, digestOf)
    }
    const before = yield* this.#standings(gone, digestOf)
    const after = yield* this.#standings(fresh, digestOf)
    const less = tallyOf(before)
    const more = tallyOf(after)
    const { counts } = previous
    return this.#ranking(tags, digestOf, yield* this.#change(previous.permitted, before, after), {
      matched: counts.matched - less.matched + more.matched,
      versions: counts.versions - less.versions + more.versions,
      permitted: counts.permitted - less.permitted + more.permitted,
    })
  }

  // One pass that keeps only what is permitted: a garbage collector's time is most of the rest.
  *#rank(tags: TagSet, digestOf: DigestOf | undefined): Work<Ranking> {
    const entries: Entry<K>[] = []
    const tally = { matched: 0, versions: 0, permitted: 0 }
    yield* eachOf(tags.toArray(), AT_ONCE, (tag) => {
      const standing = this.#judge.standing(tag, digestOf)
      count(standing, tally)
      if (isPermitted(standing)) entries.push(standing)
    })
    const ranked = yield* sorted(entries, (a, b) => this.#judge.compare(a, b))
    return this.#ranking(
      tags,
      digestOf,
      ranked.map((entry) => entry.candidate),
      tally,
    )
  }

  *#standings(
    tags: readonly string[],
    digestOf: DigestOf | undefined,
  ): Work<readonly Standing<K>[]> {
    const standings: Standing<K>[] = []
    yield* eachOf(tags, AT_ONCE, (tag) => {
      standings.push(this.#judge.standing(tag, digestOf))
    })
    return standings
  }

  *#change(
    list: readonly Candidate[],
    before: readonly Standing<K>[],
    after: readonly Standing<K>[],
  ): Work<readonly Candidate[]> {
    const place = (entry: Entry<K>) =>
      insertionPoint(list, (it) => this.#judge.compare(this.#judge.entryOf(it), entry) < 0)
    const inOrder = (standings: readonly Standing<K>[]) =>
      sorted(standings.filter(isPermitted), (a, b) => this.#judge.compare(a, b))
    const dropped: number[] = []
    yield* eachOf(yield* inOrder(before), AT_ONCE, (entry) => dropped.push(place(entry)))
    const insertions: Insertion<Candidate>[] = []
    yield* eachOf(yield* inOrder(after), AT_ONCE, (entry) => {
      insertions.push({ at: place(entry), item: entry.candidate })
    })
    return dropped.length + insertions.length > 0 ? changedList(list, dropped, insertions) : list
  }

  #ranking(
    tags: TagSet,
    digestOf: DigestOf | undefined,
    permitted: readonly Candidate[],
    tally: Tally,
  ): Ranking {
    const ranking = Object.freeze({
      counts: { tags: tags.size, ...tally },
      permitted,
      losers: () => this.#losers(tags.toArray(), digestOf),
    })
    origins.set(ranking, { selector: this, tags })
    return ranking
  }

  #losers(tags: readonly string[], digestOf: DigestOf | undefined) {
    const versions: Entry<K>[] = []
    const rest: { readonly tag: string; readonly reason: TagReason }[] = []
    for (const tag of tags) {
      const standing = this.#judge.standing(tag, digestOf)
      if (typeof standing === 'string') {
        rest.push({ tag, reason: standing })
      } else if (!isPermitted(standing)) {
        versions.push(standing)
      }
    }
    versions.sort((a, b) => this.#judge.compare(a, b))
    rest.sort((a, b) => compareBytes(a.tag, b.tag))
    const ranked = versions.flatMap(({ candidate: { tag }, reason }) =>
      reason ? [{ tag, reason }] : [],
    )
    return [...ranked, ...rest]
  }
}
