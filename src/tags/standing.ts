import { compareBytes } from './byte_order.ts'
import type { TagFilter } from './filter.ts'
import type { Key, Order } from './order.ts'
import type { Candidate, DigestOf, TagReason } from './types.ts'

/** A tag that counts as a version. */
export interface Entry<K extends Key> {
  readonly candidate: Candidate
  readonly key: K
  /** why it is not permitted; undefined if it is */
  readonly reason: TagReason | undefined
}

/** How a tag stands by a rule: an entry, or why it is no version. */
export type Standing<K extends Key> = Entry<K> | TagReason

/** Judges single tags, and compares two, by a filter and an order. */
export class Judge<K extends Key> {
  readonly order: Order<K>
  readonly #filter: TagFilter

  constructor(filter: TagFilter, order: Order<K>) {
    this.#filter = filter
    this.order = order
  }

  /** A prerelease within the bounds of the range that `allow` names is permitted. */
  standing(tag: string, digestOf: DigestOf | undefined): Standing<K> {
    const candidate = this.#filter.admit(tag)
    if (typeof candidate === 'string') {
      return candidate
    }
    const key = this.order.read(candidate, digestOf)
    if (typeof key === 'string') {
      return key
    }
    const reason = this.order.refuse(key)
    const excused = reason === 'Prerelease' && this.#filter.allows(tag)
    return { candidate, key, reason: excused ? undefined : reason }
  }

  /** The entry of a tag as if the rule permitted it; undefined if it is no version. */
  versionOf(tag: string): Entry<K> | undefined {
    const candidate = this.#filter.versionOf(tag)
    const key = candidate && this.order.read(candidate, undefined)
    if (candidate === undefined || key === undefined || typeof key === 'string') return undefined
    return { candidate, key, reason: undefined }
  }

  /** Negative: `a` is the better. Total: 0 only for the same tag. */
  compare(a: Entry<K>, b: Entry<K>): number {
    return (
      b.key.score - a.key.score ||
      this.order.compare(b.key, a.key) ||
      b.candidate.tag.length - a.candidate.tag.length ||
      compareBytes(b.candidate.tag, a.candidate.tag)
    )
  }

  /** The entry that a permitted candidate was made of. */
  entryOf(candidate: Candidate): Entry<K> {
    const key = this.order.read(candidate, undefined)
    if (typeof key === 'string') {
      throw new TypeError(`${candidate.tag} is not a candidate of this rule`)
    }
    return { candidate, key, reason: undefined }
  }
}

/** Whether it is the standing of a tag that passed the filter. */
export function isMatched<K extends Key>(standing: Standing<K>): boolean {
  return typeof standing !== 'string' || standing === 'NotAVersion' || standing === 'NotANumber'
}

/** Whether it is the standing of a permitted tag. */
export function isPermitted<K extends Key>(standing: Standing<K>): standing is Entry<K> {
  return typeof standing !== 'string' && standing.reason === undefined
}
