import type { DigestSeen, ManifestFact } from '../decisions/ports.ts'
import type { ManifestDescription } from '../registry/types.ts'
import { type ContentSum, changeSum, EMPTY_SUM } from './content_sum.ts'
import { timeAfter } from './logical_time.ts'
import { PersistentMap } from './persistent_map.ts'
import { mergeRecord } from './record_merge.ts'

/** How many digests of one tag are remembered; the very first always is. */
export const HISTORY_SIZE = 256

/** What is known of one tag's manifests. */
export interface ManifestRecord {
  /** undefined once the registry said that the tag is gone */
  readonly manifest: ManifestFact | undefined
  /** when the registry said that the tag is gone, ms since the epoch; 0: it did not */
  readonly absentAt: number
  /** oldest first, never empty */
  readonly history: readonly DigestSeen[]
}

/** The manifests known of one repository. Immutable. */
export interface ManifestRecords {
  readonly byTag: PersistentMap<ManifestRecord>
  /** tags that have or had the digest, in byte order */
  readonly byDigest: PersistentMap<readonly string[]>
  /** over the present digests */
  readonly sum: ContentSum
}

export const NO_RECORDS: ManifestRecords = {
  byTag: new PersistentMap(),
  byDigest: new PersistentMap(),
  sum: EMPTY_SUM,
}

/** The registry says what the tag points to. */
export function confirm(
  records: ManifestRecords,
  tag: string,
  description: ManifestDescription,
  asked: number,
): ManifestRecords {
  const before = records.byTag.get(tag)
  const at = timeAfter(lastWord(before), asked)
  const { digest } = description
  // What a digest holds never changes, so what was asked once stays known.
  const known = before?.manifest?.digest === digest ? before.manifest.platforms : undefined
  const platforms = description.platforms ? Object.freeze([...description.platforms]) : known
  const manifest: ManifestFact = Object.freeze({ digest, platforms, checkedAt: at })
  const history = before?.history ?? []
  if (history.at(-1)?.digest === digest) {
    return replace(records, tag, before, { manifest, absentAt: 0, history })
  }
  const longer = [...history, Object.freeze({ digest, firstSeen: at })]
  return replace(records, tag, before, { manifest, absentAt: 0, history: longer })
}

/** The registry says that there is no such tag; what it was stays known. */
export function retract(records: ManifestRecords, tag: string, at: number): ManifestRecords {
  const before = records.byTag.get(tag)
  if (!before?.manifest) return records
  const absentAt = timeAfter(lastWord(before), at)
  return replace(records, tag, before, { manifest: undefined, absentAt, history: before.history })
}

/** When the registry last said something of a tag; ms since the epoch. */
function lastWord(record: ManifestRecord | undefined): number {
  return record?.manifest?.checkedAt ?? record?.absentAt ?? 0
}

/** What two processes know together; the first records themselves when the others add nothing. */
export function mergeRecords(mine: ManifestRecords, theirs: ManifestRecords): ManifestRecords {
  if (mine.byTag.size === 0) return theirs
  let records = mine
  for (const [tag, record] of theirs.byTag.entries()) {
    const before = mine.byTag.get(tag)
    const after = before ? mergeRecord(before, record) : record
    if (after !== before) records = replace(records, tag, before, after)
  }
  return records
}

/** Only the records that pass. */
export function keepRecords(
  records: ManifestRecords,
  keep: (tag: string, record: ManifestRecord) => boolean,
): ManifestRecords {
  const kept = records.byTag.entries().filter(([tag, record]) => keep(tag, record))
  const all = [...kept]
  return all.length === records.byTag.size ? records : recordsFrom(all)
}

/** Builds the records anew, as from disk. */
export function recordsFrom(
  entries: Iterable<readonly [tag: string, record: ManifestRecord]>,
): ManifestRecords {
  let records = NO_RECORDS
  for (const [tag, record] of entries) {
    records = replace(records, tag, undefined, record)
  }
  return records
}

function replace(
  records: ManifestRecords,
  tag: string,
  before: ManifestRecord | undefined,
  after: ManifestRecord,
): ManifestRecords {
  const history = after.history === before?.history ? after.history : bounded(after.history)
  const { manifest, absentAt } = after
  const record: ManifestRecord = Object.freeze({ manifest, absentAt, history })
  return {
    byTag: records.byTag.set(tag, record),
    byDigest: indexDigests(records.byDigest, tag, before?.history ?? [], history),
    sum: changeSum(records.sum, present(tag, record), present(tag, before)),
  }
}

function bounded(history: readonly DigestSeen[]): readonly DigestSeen[] {
  const excess = history.length - HISTORY_SIZE
  return Object.freeze(excess > 0 ? history.toSpliced(1, excess) : [...history])
}

function present(tag: string, record: ManifestRecord | undefined): string[] {
  return record?.manifest ? [`${tag}@${record.manifest.digest}`] : []
}

function indexDigests(
  index: PersistentMap<readonly string[]>,
  tag: string,
  before: readonly DigestSeen[],
  after: readonly DigestSeen[],
): PersistentMap<readonly string[]> {
  if (before === after) {
    return index
  }
  const had = new Set(before.map((seen) => seen.digest))
  const has = new Set(after.map((seen) => seen.digest))
  let result = index
  for (const digest of has.difference(had)) {
    result = result.set(digest, Object.freeze([...(result.get(digest) ?? []), tag].sort()))
  }
  for (const digest of had.difference(has)) {
    const left = (result.get(digest) ?? []).filter((other) => other !== tag)
    result = left.length > 0 ? result.set(digest, Object.freeze(left)) : result.delete(digest)
  }
  return result
}
