import type { Candidate, DigestOf, TagReason } from './types.ts'

/** What an order compares tags by. */
export interface Key {
  /** never falls as keys rise: keys with different scores need no comparison */
  readonly score: number
}

/** How candidates rank, and which of them are permitted. */
export interface Order<K extends Key> {
  /** for people, such as `semver >=1.2.3 <2.0.0` */
  readonly description: string
  /** why a candidate has no key */
  readonly unreadable: TagReason
  /** whether keys or permissions depend on digests, which change while tags stay */
  readonly needsDigests: boolean
  /** undefined: the candidate is no version */
  read(candidate: Candidate, digestOf: DigestOf | undefined): K | undefined
  /** why a version is not permitted; undefined if it is */
  refuse(key: K): TagReason | undefined
  /** positive: `a` ranks above `b` */
  compare(a: K, b: K): number
}
