import { compareBytes } from './byte_order.ts'
import { changedList, insertionPoint } from './changed_list.ts'
import type { TagFilter } from './filter.ts'
import type { Key, Order } from './order.ts'
import { type Entry, Judge, type Standing } from './standing.ts'
import { TagSet } from './tag_set.ts'
import type {
  Candidate,
  DigestOf,
  FunnelCounts,
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
    const less = this.#tally(before)
    const more = this.#tally(after)
    const { counts } = previous
    return this.#ranking(tags, digestOf, this.#change(previous.permitted, before, after), {
      matched: counts.matched - less.matched + more.matched,
      versions: counts.versions - less.versions + more.versions,
      permitted: counts.permitted - less.permitted + more.permitted,
    })
  }

  #rank(tags: TagSet, digestOf: DigestOf | undefined): Ranking {
    const standings = tags.toArray().map((tag) => this.#judge.standing(tag, digestOf))
    const entries = standings.filter(isPermitted).sort((a, b) => this.#judge.compare(a, b))
    const permitted = entries.map((entry) => entry.candidate)
    return this.#ranking(tags, digestOf, permitted, this.#tally(standings))
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

  #tally(standings: readonly Standing<K>[]): Omit<FunnelCounts, 'tags'> {
    let matched = 0
    let versions = 0
    let permitted = 0
    for (const standing of standings) {
      matched += this.#judge.isMatched(standing) ? 1 : 0
      versions += typeof standing === 'string' ? 0 : 1
      permitted += isPermitted(standing) ? 1 : 0
    }
    return { matched, versions, permitted }
  }

  #ranking(
    tags: TagSet,
    digestOf: DigestOf | undefined,
    permitted: readonly Candidate[],
    counts: Omit<FunnelCounts, 'tags'>,
  ): Ranking {
    const ranking = Object.freeze({
      counts: { tags: tags.size, ...counts },
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

function isPermitted<K extends Key>(standing: Standing<K>): standing is Entry<K> {
  return typeof standing !== 'string' && standing.reason === undefined
}
