import type { CompiledPolicy } from '../policies/types.ts'
import type { RepositorySnapshot } from './ports.ts'
import type { Previous } from './types.ts'

/** Of the tags that had one digest, so many are looked at. */
const MOST = 64

/**
 * The tag of what runs: the one that is written, else the one that was recorded for a bare digest,
 * else the best permitted one that is known to have or have had it (`stable` may have it, too).
 * Undefined if no tag is known for it.
 *
 * @example
 *   runningTag({ image: parseReference('web@sha256:…'), record: undefined }, policy, snapshot)
 */
export function runningTag(
  { image, record }: Previous,
  { selector }: CompiledPolicy,
  snapshot: RepositorySnapshot | undefined,
): string | undefined {
  const written = image.tag ?? record?.tag
  if (written !== undefined || image.digest === undefined) return written
  const tags = snapshot?.tagsOf(image.digest).slice(-MOST) ?? []
  return selector.rank(tags).permitted[0]?.tag ?? tags.at(-1)
}
