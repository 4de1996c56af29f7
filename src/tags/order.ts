import type { Candidate, DigestOf, TagReason } from './types.ts'

/** What an order compares tags by. */
export interface Key {
  /** never falls as keys rise: keys with different scores need no comparison */
  readonly score: number
}

/** Why a candidate has no key. */
export type NoVersion = 'NotAVersion' | 'NotANumber'

/** How candidates rank, and which of them are permitted. */
export interface Order<K extends Key> {
  /** for people, such as `semver >=1.2.3 <2.0.0` */
  readonly description: string
  /** whether keys or permissions depend on digests, which change while tags stay */
  readonly needsDigests: boolean
  /** the key, or why the candidate is no version */
  read(candidate: Candidate, digestOf: DigestOf | undefined): K | NoVersion
  /** why a version is not permitted; undefined if it is */
  refuse(key: K): TagReason | undefined
  /** of keys with equal scores; positive: `a` ranks above `b` */
  compare(a: K, b: K): number
}
