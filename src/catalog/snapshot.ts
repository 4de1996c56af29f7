import type {
  DigestSeen,
  FactFailure,
  ManifestFact,
  RepositorySnapshot,
} from '../decisions/ports.ts'
import type { ManifestDescription } from '../registry/types.ts'
import { type ContentSum, EMPTY_SUM, formatSum } from './content_sum.ts'
import { nameOfKey } from './key.ts'
import { confirm, type ManifestRecords, NO_RECORDS, retract } from './manifest_records.ts'
import { indexOfTag, type TagChange } from './tag_list.ts'

/** A tag that is listed no more. Times are ms since the epoch. */
export interface RemovedTag {
  readonly firstSeen: number
  readonly removedAt: number
}

/** All that is known of one repository. Nothing in it is ever written to, except `asked`. */
export interface RepositoryFacts {
  readonly key: string
  /** version of the access that the registry last answered; undefined: the installation's own */
  readonly readWith: string | undefined
  /** 0: the tags were never listed */
  readonly scannedAt: number
  readonly tags: readonly string[]
  /** of the tag at the same place */
  readonly firstSeen: Float64Array
  readonly removed: ReadonlyMap<string, RemovedTag>
  readonly records: ManifestRecords
  /** over the tags */
  readonly sum: ContentSum
  readonly change: TagChange | undefined
  readonly failure: FactFailure | undefined
  /**
   * Tags whose manifest somebody looked at since the registry last confirmed it: what is worth
   * confirming again. One set for all snapshots of the repository; no fact depends on it.
   */
  readonly asked: Set<string>
}

/** One repository at one moment. */
export class Snapshot implements RepositorySnapshot {
  readonly facts: RepositoryFacts
  readonly key: string
  readonly name: string
  readonly revision: string
  readonly scannedAt: number
  readonly tags: readonly string[]
  readonly change: TagChange | undefined
  readonly failure: FactFailure | undefined

  constructor(facts: RepositoryFacts) {
    this.facts = facts
    this.key = facts.key
    this.name = nameOfKey(facts.key)
    this.revision = revisionOf(facts)
    this.scannedAt = facts.scannedAt
    this.tags = facts.tags
    this.change = facts.change
    this.failure = facts.failure
    Object.freeze(this)
  }

  has(tag: string): boolean {
    return indexOfTag(this.tags, tag) >= 0
  }

  firstSeen(tag: string): number | undefined {
    const index = indexOfTag(this.tags, tag)
    return index >= 0
      ? this.facts.firstSeen[index]
      : (this.facts.removed.get(tag)?.firstSeen ?? this.history(tag)[0]?.firstSeen)
  }

  manifest(tag: string): ManifestFact | undefined {
    const manifest = this.facts.records.byTag.get(tag)?.manifest
    if (manifest) {
      this.facts.asked.add(tag)
    }
    return manifest
  }

  history(tag: string): readonly DigestSeen[] {
    return this.facts.records.byTag.get(tag)?.history ?? []
  }

  tagsOf(digest: string): readonly string[] {
    return this.facts.records.byDigest.get(digest) ?? []
  }
}

/** A repository of which nothing is known yet. */
export function unknownRepository(key: string): Snapshot {
  return new Snapshot({
    key,
    readWith: undefined,
    scannedAt: 0,
    tags: Object.freeze([]),
    firstSeen: new Float64Array(0),
    removed: new Map(),
    records: NO_RECORDS,
    sum: EMPTY_SUM,
    change: undefined,
    failure: undefined,
    asked: new Set(),
  })
}

/** The registry described what a tag points to. */
export function confirmed(
  { facts }: Snapshot,
  tag: string,
  description: ManifestDescription,
  at: number,
  readWith: string | undefined,
): Snapshot {
  facts.asked.delete(tag)
  return new Snapshot({ ...facts, readWith, records: confirm(facts.records, tag, description, at) })
}

/** The registry said that it has no such tag. */
export function retracted(before: Snapshot, tag: string, at: number): Snapshot {
  const records = retract(before.facts.records, tag, at)
  before.facts.asked.delete(tag)
  return records === before.facts.records ? before : new Snapshot({ ...before.facts, records })
}

/** The registry could not be asked for the tags. */
export function failed(before: Snapshot, failure: FactFailure): Snapshot {
  return new Snapshot({ ...before.facts, failure: Object.freeze({ ...failure }) })
}

function revisionOf({ sum, records }: RepositoryFacts): string {
  return formatSum({
    high: (sum.high + records.sum.high) >>> 0,
    low: (sum.low + records.sum.low) >>> 0,
  })
}
