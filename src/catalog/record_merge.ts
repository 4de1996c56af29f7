import type { DigestSeen, ManifestFact } from '../decisions/ports.ts'
import { compareTexts } from '../pieces/index.ts'
import type { ManifestRecord } from './manifest_records.ts'

/** What two processes know of one tag together; `mine` itself when `theirs` adds nothing. */
export function mergeRecord(mine: ManifestRecord, theirs: ManifestRecord): ManifestRecord {
  const last = saidAfter(theirs, mine) ? theirs : mine
  const manifest = withPlatforms(last.manifest, mine.manifest, theirs.manifest)
  const history = mergeHistory(mine.history, theirs.history, manifest)
  const { absentAt } = last
  return manifest === mine.manifest && absentAt === mine.absentAt && history === mine.history
    ? mine
    : { manifest, absentAt, history }
}

/** Whether the registry's last word in `one` is later than in `other`. */
function saidAfter(one: ManifestRecord, other: ManifestRecord): boolean {
  const [here, there] = [one, other].map(({ manifest, absentAt }): readonly [number, string] => [
    manifest?.checkedAt ?? absentAt,
    manifest?.digest ?? '',
  ]) as [readonly [number, string], readonly [number, string]]
  return here[0] === there[0] ? here[1] > there[1] : here[0] > there[0]
}

/** What a digest holds never changes, so what either process knows of it holds. */
function withPlatforms(
  manifest: ManifestFact | undefined,
  ...known: readonly (ManifestFact | undefined)[]
): ManifestFact | undefined {
  if (!manifest || manifest.platforms) return manifest
  const same = known.find((other) => other?.digest === manifest.digest && other.platforms)
  return same ? Object.freeze({ ...manifest, platforms: same.platforms }) : manifest
}

/**
 * Both histories in the order of time; a digest that both saw was first seen by the earlier one.
 * The present digest stands last: where the other process saw another one in between, it came back.
 */
function mergeHistory(
  mine: readonly DigestSeen[],
  theirs: readonly DigestSeen[],
  manifest: ManifestFact | undefined,
): readonly DigestSeen[] {
  const all = [...mine, ...theirs].sort(
    (a, b) => a.firstSeen - b.firstSeen || compareTexts(a.digest, b.digest),
  )
  const history = all.filter((seen, index) => seen.digest !== all[index - 1]?.digest)
  const present = manifest?.digest
  if (present !== undefined && history.at(-1)?.digest !== present) {
    history.push(Object.freeze({ digest: present, firstSeen: manifest?.checkedAt ?? 0 }))
  }
  const same =
    history.length === mine.length &&
    history.every(({ digest, firstSeen }, index) => {
      const seen = mine[index]
      return seen?.digest === digest && seen.firstSeen === firstSeen
    })
  return same ? mine : history
}
