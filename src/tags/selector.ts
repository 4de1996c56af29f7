import { compareBytes } from './byte_order.ts'
import { changedList, insertionPoint } from './changed_list.ts'
import type { TagFilter } from './filter.ts'
import type { Key, Order } from './order.ts'
import { type Entry, isMatched, isPermitted, Judge, type Standing } from './standing.ts'
import { TagSet } from './tag_set.ts'
import type {
  Candidate,
  DigestOf,
  Ranking,
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
    return this.#rank(TagSet.of(tags), digestOf)
  }

  rerank(
    previous: Ranking,
    change: { readonly added: readonly string[]; readonly removed: readonly string[] },
    digestOf?: DigestOf,
  ): Ranking {
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
      return this.#rank(tags, digestOf)
    }
    const before = gone.map((tag) => this.#judge.standing(tag, digestOf))
    const after = fresh.map((tag) => this.#judge.standing(tag, digestOf))
    const less = tallyOf(before)
    const more = tallyOf(after)
    const { counts } = previous
    return this.#ranking(tags, digestOf, this.#change(previous.permitted, before, after), {
      matched: counts.matched - less.matched + more.matched,
      versions: counts.versions - less.versions + more.versions,
      permitted: counts.permitted - less.permitted + more.permitted,
    })
  }

  // One pass that keeps only what is permitted: a garbage collector's time is most of the rest.
  #rank(tags: TagSet, digestOf: DigestOf | undefined): Ranking {
    const entries: Entry<K>[] = []
    const tally = { matched: 0, versions: 0, permitted: 0 }
    for (const tag of tags.toArray()) {
      const standing = this.#judge.standing(tag, digestOf)
      count(standing, tally)
      if (isPermitted(standing)) entries.push(standing)
    }
    entries.sort((a, b) => this.#judge.compare(a, b))
    const permitted = entries.map((entry) => entry.candidate)
    return this.#ranking(tags, digestOf, permitted, tally)
  }

  #change(
    list: readonly Candidate[],
    before: readonly Standing<K>[],
    after: readonly Standing<K>[],
  ): readonly Candidate[] {
    const place = (entry: Entry<K>) =>
      insertionPoint(list, (it) => this.#judge.compare(this.#judge.entryOf(it), entry) < 0)
    const inOrder = (standings: readonly Standing<K>[]) =>
      standings.filter(isPermitted).sort((a, b) => this.#judge.compare(a, b))
    const dropped = inOrder(before).map(place)
    const insertions = inOrder(after).map((entry) => ({ at: place(entry), item: entry.candidate }))
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
