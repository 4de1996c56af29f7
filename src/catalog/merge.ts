import { eachOf, type Work } from '../pieces/index.ts'
import { formatSum } from './content_sum.ts'
import { keepRecords, type ManifestRecord, mergeRecords } from './manifest_records.ts'
import { lastSeen, REMOVED_AGE } from './scan.ts'
import { type RemovedTag, type RepositoryFacts, Snapshot } from './snapshot.ts'
import { AT_ONCE, compareTags, indexOfTag, type TagChange } from './tag_list.ts'

/**
 * What two processes know of one repository, together: the tag list that was read last, the
 * manifests that were confirmed last, every digest that either has seen, and of each tag the
 * earliest time. Whose snapshot comes first decides no fact; the first one's own list of tags is
 * kept where it is equal, so that what others remember of that list stays good.
 *
 * @param current what is known by now: of the same lists of tags, with manifests that were confirmed
 *   while this was at work
 * @returns what is known by now itself when `theirs` adds nothing
 */
export function* merging(
  mine: Snapshot,
  theirs: Snapshot,
  current: () => Snapshot = () => mine,
): Work<Snapshot> {
  const own = mine.facts
  const other = theirs.facts
  const isNewer = readAfter(other, own)
  const [newer, older] = isNewer ? [theirs, mine] : [mine, theirs]
  const change = isNewer ? yield* compareTags(own.tags, other.tags) : undefined
  const tags = change ? Object.freeze(yield* sharingStrings(own.tags, other.tags)) : own.tags
  const removed = yield* mergeRemoved(newer, older, tags)
  const firstSeen = yield* earliest(tags, mine, theirs)
  const { scannedAt } = newer
  const now = current()
  const records = keepRecords(
    mergeRecords(now.facts.records, other.records),
    (tag, record) => isKept(record, scannedAt) || removed.has(tag) || indexOfTag(tags, tag) >= 0,
  )
  const facts: RepositoryFacts = {
    ...now.facts,
    readWith: isNewer ? other.readWith : now.facts.readWith,
    scannedAt,
    tags,
    firstSeen,
    removed: sameRemoved(own.removed, removed) ? own.removed : removed,
    records,
    sum: newer.facts.sum,
    change: isNewer && scannedAt !== own.scannedAt ? changeOf(change, own) : own.change,
    failure: now.failure && now.failure.at > scannedAt ? now.failure : undefined,
  }
  const after = adds(now.facts, facts) ? new Snapshot(facts) : now
  settleAsked(now.facts, facts)
  return after
}

function changeOf(change: TagChange | undefined, { scannedAt }: RepositoryFacts) {
  return change && scannedAt > 0 ? Object.freeze(change) : undefined
}

/** Two lists of the very same moment: any rule will do that both processes know. */
function readAfter(one: RepositoryFacts, other: RepositoryFacts): boolean {
  return one.scannedAt === other.scannedAt
    ? formatSum(one.sum) > formatSum(other.sum)
    : one.scannedAt > other.scannedAt
}

function isKept(record: ManifestRecord, scannedAt: number): boolean {
  return lastSeen(record) >= scannedAt - REMOVED_AGE
}

/** The list `to`, with the strings of `from` where they are equal: those are in memory already. */
function* sharingStrings(from: readonly string[], to: readonly string[]): Work<string[]> {
  const shared: string[] = []
  let old = 0
  yield* eachOf(to, AT_ONCE, (tag) => {
    while (old < from.length && from[old]! < tag) old += 1
    shared.push(from[old] === tag ? from[old]! : tag)
  })
  return shared
}

function* earliest(tags: readonly string[], mine: Snapshot, theirs: Snapshot): Work<Float64Array> {
  const own = tags === mine.tags ? mine.facts.firstSeen : undefined
  let changed = own === undefined
  const firstSeen = new Float64Array(tags.length)
  yield* eachOf(tags, AT_ONCE, (tag, index) => {
    const here = own ? own[index]! : earliestOf(mine, tag)
    firstSeen[index] = Math.min(here, earliestOf(theirs, tag))
    changed ||= firstSeen[index] !== here
  })
  return changed || !own ? firstSeen : own
}

function earliestOf(snapshot: Snapshot, tag: string): number {
  return snapshot.firstSeen(tag) ?? Number.POSITIVE_INFINITY
}

function* mergeRemoved(
  newer: Snapshot,
  older: Snapshot,
  tags: readonly string[],
): Work<ReadonlyMap<string, RemovedTag>> {
  const removed = new Map<string, RemovedTag>()
  const add = (tag: string, removedAt: number) => {
    if (removedAt < newer.scannedAt - REMOVED_AGE || indexOfTag(tags, tag) >= 0) return
    const firstSeen = Math.min(earliestOf(newer, tag), earliestOf(older, tag))
    removed.set(tag, Object.freeze({ firstSeen, removedAt }))
  }
  yield* eachOf(older.facts.removed, AT_ONCE, ([tag, { removedAt }]) => add(tag, removedAt))
  yield* eachOf(older.tags, AT_ONCE, (tag) => {
    if (indexOfTag(tags, tag) < 0) add(tag, newer.scannedAt)
  })
  yield* eachOf(newer.facts.removed, AT_ONCE, ([tag, { removedAt }]) => {
    add(tag, Math.max(removedAt, older.facts.removed.get(tag)?.removedAt ?? 0))
  })
  return removed
}

function sameRemoved(
  one: ReadonlyMap<string, RemovedTag>,
  other: ReadonlyMap<string, RemovedTag>,
): boolean {
  if (one.size !== other.size) return false
  return one.entries().every(([tag, { firstSeen, removedAt }]) => {
    const there = other.get(tag)
    return there?.firstSeen === firstSeen && there.removedAt === removedAt
  })
}

function adds(before: RepositoryFacts, after: RepositoryFacts): boolean {
  const parts = [
    'readWith',
    'scannedAt',
    'tags',
    'firstSeen',
    'removed',
    'records',
    'failure',
  ] as const
  return parts.some((part) => before[part] !== after[part])
}

/** A manifest that another process confirmed since is not worth confirming again. */
function settleAsked(before: RepositoryFacts, after: RepositoryFacts): void {
  for (const tag of before.asked) {
    const known = before.records.byTag.get(tag)?.manifest?.checkedAt ?? 0
    const now = after.records.byTag.get(tag)?.manifest?.checkedAt ?? 0
    if (now > known) before.asked.delete(tag)
  }
}
