import type { ErrorCode } from '../errors.ts'

/** A digest that a tag pointed to, and since when. Times are ms since the epoch. */
export interface DigestSeen {
  readonly digest: string
  readonly firstSeen: number
}

/** What the index knows of the manifest that a tag points to now. */
export interface ManifestFact {
  /** digest of the manifest, or of the index for a multi-platform image */
  readonly digest: string
  /** `os/arch[/variant]`; undefined when it was never asked */
  readonly platforms: readonly string[] | undefined
  /** when the registry last confirmed it, ms since the epoch */
  readonly checkedAt: number
}

/** Why the registry could not give a fact. No secret, no raw body in it. */
export interface FactFailure {
  readonly code: ErrorCode
  /** one line for people, such as `ghcr.io answered 429 Too Many Requests` */
  readonly message: string
  /** ms since the epoch */
  readonly at: number
}

/** One repository's tags at one moment. Immutable: a new scan makes a new one. */
export interface RepositorySnapshot {
  /** normalised name, such as `ghcr.io/acme/web` */
  readonly name: string
  /** changes whenever tags or known digests change; short hex */
  readonly revision: string
  /** when the whole tag list was last read, ms since the epoch */
  readonly scannedAt: number
  /** in byte order, each once */
  readonly tags: readonly string[]
  /** set when this snapshot's tag list was made from another one's: what to rerank */
  readonly change:
    | {
        readonly from: readonly string[]
        readonly added: readonly string[]
        readonly removed: readonly string[]
      }
    | undefined
  has(tag: string): boolean
  /** when the tag, or else its first digest, was first seen, ms since the epoch */
  firstSeen(tag: string): number | undefined
  manifest(tag: string): ManifestFact | undefined
  /** every digest the tag was seen with, oldest first, the present one last */
  history(tag: string): readonly DigestSeen[]
  /** tags that are or were seen with this digest, in byte order */
  tagsOf(digest: string): readonly string[]
  /** the last scan's failure, if it failed */
  readonly failure: FactFailure | undefined
}

/** What decide() may look at, all in memory. */
export interface Facts {
  /** undefined: nothing is known of the repository yet */
  snapshot(name: string): RepositorySnapshot | undefined
  /** why an earlier attempt to get this fact, for this very question, failed */
  failure(need: FactNeed): FactFailure | undefined
  /** ms since the epoch */
  readonly now: number
  /** no time is left to look through a list of tags: which one is the newest stays unknown */
  readonly late?: boolean
}

/** A fact that decide() lacks. The door gathers it and asks again. */
export type FactNeed =
  | { readonly fact: 'repository'; readonly name: string }
  | {
      readonly fact: 'manifest'
      readonly name: string
      readonly tag: string
      readonly platforms: boolean
    }

/**
 * Gets facts that are not in memory, once for all who wait, and puts them into the index.
 * Implemented by catalog + scanner; the doors call it.
 */
export interface FactSource {
  snapshot(name: string): RepositorySnapshot | undefined
  /** Resolves when the fact is in the index, or with the failure. Never rejects. */
  gather(need: FactNeed, signal: AbortSignal): Promise<FactFailure | undefined>
}

/** The registry host that has to be asked. */
export function hostOf({ name }: FactNeed): string {
  return name.slice(0, name.indexOf('/'))
}

/** A stable key of a need, for maps. */
export function needKey(need: FactNeed): string {
  return need.fact === 'repository'
    ? need.name
    : `${need.name}:${need.tag}${need.platforms ? '+platforms' : ''}`
}
