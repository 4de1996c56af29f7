import fc from 'fast-check'
import type { RepositorySnapshot } from '../../src/decisions/ports.ts'

/** One thing that the registry said. */
export type Event =
  | { tags: string[] }
  | { tag: string; digest: string; platforms: string[] | undefined }
  | { missing: string }
  | { failure: string }

export const TAGS = ['v1', 'v2', 'v3', 'latest', '__proto__', 'constructor', 'main-1']
const DIGESTS = ['a', 'b', 'c'].map((hex) => `sha256:${hex.repeat(64)}`)

const tag = fc.constantFrom(...TAGS)

export const events = fc.array<Event>(
  fc.oneof<fc.Arbitrary<Event>[]>(
    fc.record({ tags: fc.array(tag, { maxLength: 10 }) }),
    fc.record({
      tag,
      digest: fc.constantFrom(...DIGESTS),
      platforms: fc.constantFrom<(string[] | undefined)[]>(undefined, ['linux/amd64']),
    }),
    fc.record({ missing: tag }),
    fc.record({ failure: fc.constantFrom<string[]>('slow', 'gone') }),
  ),
  { maxLength: 40 },
)

interface TagModel {
  listed: boolean
  firstSeen: number | undefined
  manifest: { digest: string; platforms: string[] | undefined; checkedAt: number } | undefined
  history: { digest: string; firstSeen: number }[]
}

/** The simplest thing that could say what an index knows. */
export class Model {
  scannedAt = 0
  failure: string | undefined
  known = false
  readonly tags: Map<string, TagModel> = new Map(
    TAGS.map((tag): [string, TagModel] => [
      tag,
      { listed: false, firstSeen: undefined, manifest: undefined, history: [] },
    ]),
  )

  apply(event: Event, at: number): void {
    if ('tags' in event) {
      this.known = true
      this.scannedAt = at
      this.failure = undefined
      for (const [tag, model] of this.tags) {
        model.listed = event.tags.includes(tag)
        if (model.listed) model.firstSeen ??= at
      }
    } else if ('digest' in event) {
      this.known = true
      const model = this.tags.get(event.tag)!
      const same = model.manifest?.digest === event.digest ? model.manifest.platforms : undefined
      const platforms = event.platforms ?? same
      model.firstSeen ??= at
      model.manifest = { digest: event.digest, platforms, checkedAt: at }
      if (model.history.at(-1)?.digest !== event.digest) {
        model.history.push({ digest: event.digest, firstSeen: at })
      }
    } else if ('missing' in event) {
      this.tags.get(event.missing)!.manifest = undefined
    } else if (this.known) {
      this.failure = event.failure
    }
  }

  /** All that can be seen of it, as JSON. */
  view(): string {
    const all = [...this.tags]
    return JSON.stringify({
      scannedAt: this.scannedAt,
      failure: this.failure,
      tags: all
        .filter(([, model]) => model.listed)
        .map(([tag]) => tag)
        .sort(),
      facts: all.map(([tag, model]) => [
        tag,
        model.listed,
        model.firstSeen,
        model.manifest,
        model.history,
      ]),
      byDigest: DIGESTS.map((digest) =>
        all
          .filter(([, { history }]) => history.some((seen) => seen.digest === digest))
          .map(([tag]) => tag)
          .sort(),
      ),
    })
  }
}

/** The same of a snapshot. */
export function viewOf(snapshot: RepositorySnapshot): string {
  return JSON.stringify({
    scannedAt: snapshot.scannedAt,
    failure: snapshot.failure?.message,
    tags: snapshot.tags,
    facts: TAGS.map((tag) => [
      tag,
      snapshot.has(tag),
      snapshot.firstSeen(tag),
      snapshot.manifest(tag),
      snapshot.history(tag),
    ]),
    byDigest: DIGESTS.map((digest) => snapshot.tagsOf(digest)),
  })
}
