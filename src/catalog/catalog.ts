import type { FactFailure, RepositorySnapshot } from '../decisions/ports.ts'
import type { TagwardenError } from '../errors.ts'
import { finish, type Work } from '../pieces/index.ts'
import type { ManifestDescription } from '../registry/types.ts'
import { merging } from './merge.ts'
import { scanning } from './scan.ts'
import { packIndex, unpackingIndex } from './shared_index.ts'
import { confirmed, failed, retracted, Snapshot, unknownRepository } from './snapshot.ts'
import { openStore } from './store.ts'

/** A change of content is written this soon, in ms; several at once are written once. */
const WRITE_DELAY = 1_000
/** A mere "still so" is written this soon: it would rewrite every file at every scan. */
const TOUCH_DELAY = 10 * 60_000

/** A tag whose digest is known: what may be worth confirming again. */
export interface KnownManifest {
  readonly tag: string
  /** ms since the epoch */
  readonly checkedAt: number
  /** whether its platforms are known too */
  readonly platforms: boolean
  /** whether a snapshot was asked for it since it was last confirmed */
  readonly asked: boolean
}

/**
 * The index: what the registry said, in memory and on disk. Reading is synchronous and never
 * waits. Times (`at`) are ms since the epoch. A key is what repositoryKey() gives: the normalised name
 * of a repository, and the access that reads it unless that is the installation's own.
 */
export interface Catalog {
  /**
   * The newest snapshot. One that is still on disk only is read now: some ms, once.
   *
   * @param readWith version of the access: the snapshot counts only if the registry has answered
   *   this very version, so that who holds other credentials by now sees nothing. Without it, the
   *   snapshot is given whoever has read it: for scans and books, never for a review.
   */
  get(key: string, readWith?: string): RepositorySnapshot | undefined
  /** The keys in memory; after load() that is all. */
  keys(): string[]
  /** The manifests that are known of a repository. */
  known(key: string): KnownManifest[]
  /**
   * The registry listed its tags. Those that no reference can name are left out.
   *
   * @param at when the list was asked for
   * @param readWith version of the access that it answered; the history of a repository that this
   *   access may read stays, whichever version has seen it
   */
  recordTags(
    key: string,
    tags: readonly string[],
    at: number,
    readWith?: string,
  ): RepositorySnapshot
  /** What recordTags() does, as work that can be laid down; what is recorded meanwhile stays. */
  recordingTags(
    key: string,
    tags: readonly string[],
    at: number,
    readWith?: string,
  ): Work<RepositorySnapshot>
  /** The registry said what a tag points to. Costs the same however many tags there are. */
  recordManifest(
    key: string,
    tag: string,
    description: ManifestDescription,
    at: number,
    readWith?: string,
  ): RepositorySnapshot
  /** The registry said that there is no such tag: it has no manifest now, its history stays. */
  recordMissing(key: string, tag: string, at: number): void
  /** A scan failed. All facts stay. Of a repository that is not known nothing is noted. */
  recordFailure(key: string, failure: FactFailure): void
  /**
   * Takes over what another process read, without losing what this one knows better: of tags the
   * list that was read last, of manifests what was confirmed last, of each time the earliest. An
   * equal list of tags stays the same list. A failure that is older than the last scan is gone.
   *
   * @param packed as pack() gave it elsewhere
   * @param now to tell what can not have been read yet
   * @throws TagwardenError ERR_CATALOG when it is damaged, too large, or another repository's; all
   *   that is known stays
   */
  adopt(key: string, packed: Uint8Array, now: number): RepositorySnapshot
  /** What adopt() does, as work that can be laid down; what is recorded meanwhile stays. */
  adopting(key: string, packed: Uint8Array, now: number): Work<RepositorySnapshot>
  /** What is known of a repository, packed for adopt(); undefined when nothing is. */
  pack(key: string): Promise<Buffer | undefined>
  /** Drops all that is known of a repository, its file too. */
  forget(key: string): void
  /** Reads all files, in the background; the index answers meanwhile. Never rejects. */
  load(): Promise<void>
  /** Writes what is not written yet. Never rejects: trouble goes to onProblem. */
  flush(): Promise<void>
  /** Flushes; nothing is written after that. */
  close(): Promise<void>
}

/**
 * Opens the index.
 *
 * @param options.path the folder of its files, made when first needed; undefined: memory only
 * @param options.readOnly nothing is ever written to the folder
 * @param options.onProblem told of files that are damaged and of a disk that fails; the index
 *   goes on in memory
 *
 * @example
 *   const catalog = createCatalog({ path: './catalog', onProblem: (problem) => log.warn(problem) })
 *   catalog.recordTags('ghcr.io/acme/web', ['v1.4.2', 'latest'], Date.now())
 *   catalog.get('ghcr.io/acme/web')?.has('v1.4.2') // true
 *   await catalog.close()
 */
export function createCatalog(
  options: {
    path?: string | undefined
    readOnly?: boolean
    onProblem?: (problem: TagwardenError) => void
  } = {},
): Catalog {
  const repositories = new Map<string, Snapshot>()
  const { path, readOnly = false, onProblem = () => {} } = options
  const store =
    path === undefined
      ? undefined
      : openStore(path, (key) => repositories.get(key), onProblem, readOnly)
  let loading: Promise<void> | undefined

  function get(key: string): Snapshot | undefined {
    return repositories.get(key) ?? keep(store?.take(key))
  }

  function keep(snapshot: Snapshot | undefined): Snapshot | undefined {
    if (snapshot) repositories.set(snapshot.key, snapshot)
    return snapshot
  }

  function swap(before: Snapshot | undefined, after: Snapshot): RepositorySnapshot {
    repositories.set(after.key, after)
    store?.save(after.key, before?.revision === after.revision ? TOUCH_DELAY : WRITE_DELAY)
    return after
  }

  /** @param change made of the newest snapshot, again if another list has taken its place meanwhile */
  function* changing(
    key: string,
    change: (before: Snapshot, current: () => Snapshot) => Work<Snapshot>,
  ): Work<RepositorySnapshot> {
    for (;;) {
      const before = get(key)
      const base = before ?? unknownRepository(key)
      const after = yield* change(base, () => get(key) ?? base)
      const now = get(key)
      if (now === after) return after
      if (now === before || (now && hasSameList(now, base))) return swap(now, after)
    }
  }

  const catalog: Catalog = {
    get(key, readWith) {
      const snapshot = get(key)
      return readWith === undefined || snapshot?.facts.readWith === readWith ? snapshot : undefined
    },
    keys: () => [...repositories.keys()],
    known(key) {
      const facts = get(key)?.facts
      const known: KnownManifest[] = []
      for (const [tag, { manifest }] of facts?.records.byTag.entries() ?? []) {
        if (manifest) {
          const { checkedAt, platforms } = manifest
          const asked = facts?.asked.has(tag) ?? false
          known.push({ tag, checkedAt, platforms: platforms !== undefined, asked })
        }
      }
      return known
    },
    recordTags: (...given) => finish(catalog.recordingTags(...given)),
    recordingTags: (key, tags, at, readWith) =>
      changing(key, function* (before, current) {
        const after = yield* scanning(before, tags, at, readWith)
        const { records } = current().facts
        return records === before.facts.records ? after : new Snapshot({ ...after.facts, records })
      }),
    recordManifest(key, tag, description, at, readWith) {
      const before = get(key)
      const known = before ?? unknownRepository(key)
      return swap(before, confirmed(known, tag, description, at, readWith))
    },
    recordMissing(key, tag, at) {
      const before = get(key)
      if (before) swap(before, retracted(before, tag, at))
    },
    recordFailure(key, failure) {
      const before = get(key)
      if (before) repositories.set(key, failed(before, failure))
    },
    adopt: (...given) => finish(catalog.adopting(...given)),
    *adopting(key, packed, now) {
      const theirs = yield* unpackingIndex(key, packed, now)
      return yield* changing(key, (before, current) => merging(before, theirs, current))
    },
    async pack(key) {
      const snapshot = get(key)
      return snapshot && packIndex(snapshot)
    },
    forget(key) {
      repositories.delete(key)
      store?.save(key, 0)
    },
    load() {
      loading ??= store?.takeAll(keep) ?? Promise.resolve()
      return loading
    },
    flush: async () => store?.flush(),
    close: async () => store?.close(),
  }
  return catalog
}

/** Whether one came from the other by what was said of manifests, and nothing else. */
function hasSameList({ facts: a }: Snapshot, { facts: b }: Snapshot): boolean {
  const isSame = a.tags === b.tags && a.firstSeen === b.firstSeen && a.removed === b.removed
  return isSame && a.scannedAt === b.scannedAt
}
