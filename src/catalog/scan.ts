import { eachOf, sorted, type Work } from '../pieces/index.ts'
import { changingSum } from './content_sum.ts'
import { timeAfter } from './logical_time.ts'
import { keepRecords, type ManifestRecord } from './manifest_records.ts'
import { type RemovedTag, type RepositoryFacts, Snapshot } from './snapshot.ts'
import { AT_ONCE, compareTags, indexOfTag, sortTags, type TagChange } from './tag_list.ts'

/** How long a removed tag is remembered, in ms: 90 days. */
export const REMOVED_AGE = 90 * 86_400_000
/** How many removed tags without a known digest are remembered, beside those of the last change. */
export const REMOVED_SIZE = 1_000

/**
 * The registry listed its tags. When nothing changed, the new snapshot has the very same list, so
 * that what others remember of that list stays good.
 *
 * @param at when the list was asked for
 */
export function* scanning(
  { facts }: Snapshot,
  listed: readonly string[],
  at: number,
  readWith: string | undefined,
): Work<Snapshot> {
  const latest = {
    ...facts,
    readWith,
    scannedAt: timeAfter(facts.scannedAt, at),
    failure: undefined,
  }
  const tags = yield* sortTags(listed)
  const change = yield* compareTags(facts.tags, tags)
  if (!change) {
    // An interval has passed: whoever uses the list has ranked it, and the old one can go.
    return new Snapshot({ ...latest, change: undefined })
  }
  const removed = yield* updateRemoved(facts, change, at)
  return new Snapshot({
    ...latest,
    ...(yield* mergeTags(facts, tags, at)),
    removed,
    records: keepRecords(
      facts.records,
      (tag, record) =>
        lastSeen(record) >= at - REMOVED_AGE || removed.has(tag) || indexOfTag(tags, tag) >= 0,
    ),
    sum: yield* changingSum(facts.sum, change.added, change.removed),
    change: facts.scannedAt === 0 ? undefined : Object.freeze(change),
  })
}

/** When the registry last said that a tag is there; ms since the epoch. */
export function lastSeen({ manifest, history }: ManifestRecord): number {
  return manifest?.checkedAt ?? history.at(-1)?.firstSeen ?? 0
}

/** The new list, with the old list's own strings where they are equal, and when each was seen. */
function* mergeTags(
  facts: RepositoryFacts,
  tags: string[],
  at: number,
): Work<Pick<RepositoryFacts, 'tags' | 'firstSeen'>> {
  const firstSeen = new Float64Array(tags.length)
  let old = 0
  yield* eachOf(tags, AT_ONCE, (tag, index) => {
    while (old < facts.tags.length && facts.tags[old]! < tag) old += 1
    if (facts.tags[old] === tag) {
      tags[index] = facts.tags[old]!
      firstSeen[index] = facts.firstSeen[old]!
    } else {
      const earlier = facts.removed.get(tag) ?? facts.records.byTag.get(tag)?.history[0]
      firstSeen[index] = Math.min(at, earlier?.firstSeen ?? at)
    }
  })
  return { tags: Object.freeze(tags), firstSeen }
}

function* updateRemoved(
  facts: RepositoryFacts,
  change: TagChange,
  at: number,
): Work<ReadonlyMap<string, RemovedTag>> {
  if (change.removed.length === 0 && !change.added.some((tag) => facts.removed.has(tag))) {
    return facts.removed
  }
  const back = new Set(change.added)
  const kept = [...facts.removed].filter(
    ([tag, { removedAt }]) => !back.has(tag) && removedAt >= at - REMOVED_AGE,
  )
  yield
  const latestFirst = yield* sorted(kept, ([, a], [, b]) => b.removedAt - a.removedAt)
  let room = REMOVED_SIZE
  const removed = new Map(latestFirst.filter(([tag]) => facts.records.byTag.get(tag) || room-- > 0))
  yield* eachOf(change.removed, AT_ONCE, (tag) => {
    const firstSeen = facts.firstSeen[indexOfTag(facts.tags, tag)]!
    removed.set(tag, Object.freeze({ firstSeen, removedAt: at }))
  })
  return removed
}
