import type { Work } from '../pieces/index.ts'

/** Which tags of a repository are candidates, how they rank, which are permitted. */
export interface TagRule {
  /** Go (RE2) syntax, unanchored; undefined admits every tag */
  readonly pattern?: string | undefined
  /** Go Expand template over the pattern's groups; undefined takes the whole tag */
  readonly extract?: string | undefined
  readonly allow: readonly string[]
  readonly ignore: readonly string[]
  readonly order: TagOrder
}

export type TagOrder =
  | { readonly semver: { readonly range: string; readonly identifier?: string | undefined } }
  | { readonly alphabetical: { readonly order: 'Ascending' | 'Descending' } }
  | { readonly numerical: { readonly order: 'Ascending' | 'Descending' } }
  | { readonly digest: { readonly allowed: readonly string[] } | { readonly follow: string } }

/** Why a tag is not permitted by a rule, or not chosen although it is. A closed list. */
export type TagReason =
  | 'Artifact' // a signature, attestation or SBOM stored as a tag
  | 'NotMatched' // pattern does not match
  | 'Ignored' // an ignore pattern matches
  | 'NotAVersion' // semver: not three numeric parts, or without the identifier
  | 'NotANumber' // numerical: no decimal number
  | 'OutOfRange' // semver: outside the range
  | 'Prerelease' // semver: inside the range but a prerelease that the range does not name
  | 'DigestUnknown' // digest: nobody knows the tag's digest
  | 'DigestNotAllowed' // digest: not in the allowed list
  | 'NotFollowed' // digest.follow names another tag
  | 'TooYoung' // seen for less than minimumAge
  | 'TagMoved' // pushed again since it was first seen, where the policy denies that
  | 'PlatformMissing' // lacks a platform that the policy asks for
  | 'LatestTag' // `latest`, which no order chooses
  | 'OtherPolicy' // another policy on the same image does not permit it
  | 'TagNotFound' // the registry does not have it

/** A permitted tag. */
export interface Candidate {
  readonly tag: string
  /** what the order compared: the extract, or the tag itself */
  readonly version: string
  /** the `build` group of the pattern, where there is one and it matched */
  readonly build: string | undefined
}

export type TagVerdict =
  | ({ readonly permitted: true } & Candidate)
  | { readonly permitted: false; readonly tag: string; readonly reason: TagReason }

/** Facts about one tag that a digest rule needs. */
export type DigestOf = (tag: string) => string | undefined

/** How many tags passed each step. Each number includes the next. */
export interface FunnelCounts {
  readonly tags: number
  readonly matched: number
  readonly versions: number
  readonly permitted: number
}

/** A repository's tags ranked by one rule. Immutable. */
export interface Ranking {
  readonly counts: FunnelCounts
  /** best first; the order is total and does not depend on the order of input */
  readonly permitted: readonly Candidate[]
  /**
   * every tag that is not permitted, with its reason; versions in rank order (best first), then
   * the rest in byte order. Made when asked for: it costs time in the number of tags.
   */
  losers(): readonly { readonly tag: string; readonly reason: TagReason }[]
}

/** How a list of tags became another. */
export interface TagListChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** A compiled TagRule. */
export interface TagSelector {
  readonly rule: TagRule
  /** for people: `semver >=1.2.3 <2.0.0`, `alphabetical Ascending`, `digest behind tag stable` */
  readonly description: string
  /** whether the rule permits this one tag, whatever other tags there are. Never throws. */
  judge(tag: string, digestOf?: DigestOf): TagVerdict
  /**
   * whether tag `a` would rank above tag `b` if the rule permitted both: also what it ignores, or
   * what lies outside the range, is a version that runs somewhere. False where one of them is none,
   * and for digest rules. Never throws.
   */
  outranks(a: string, b: string): boolean
  /**
   * ranks all tags; duplicates count once. Keeps the list and `digestOf` for losers() and rerank(),
   * so neither may change
   */
  rank(tags: readonly string[], digestOf?: DigestOf): Ranking
  /**
   * the same as rank() of the changed list, at a cost in the size of the change; a tag that is both
   * added and removed is there afterwards
   *
   * @throws TypeError when the previous ranking was made by another selector
   */
  rerank(previous: Ranking, change: TagListChange, digestOf?: DigestOf): Ranking
  /** what rank() does, as work that can be laid down */
  ranking(tags: readonly string[], digestOf?: DigestOf): Work<Ranking>
  /** what rerank() does, as work that can be laid down */
  reranking(previous: Ranking, change: TagListChange, digestOf?: DigestOf): Work<Ranking>
}
