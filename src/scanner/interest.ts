import type { KnownManifest } from '../catalog/index.ts'

/** So many tags are confirmed after a scan, at most. */
const TAGS = 50
/** So many of these may be tags that nobody asked for since they were last confirmed. */
const UNASKED = 10
/** Clocks of replicas differ by this, in ms, and nobody needs to care. */
const AHEAD = 60_000

/**
 * The tags whose digest is to be confirmed after a scan, so that a tag that moved is noticed:
 * those that somebody asked for first, in each group the ones that were confirmed longest ago.
 *
 * @param since tags that were confirmed after this time, until now, are left out; ms since the epoch
 */
export function tagsToConfirm(
  known: readonly KnownManifest[],
  since: number,
  now: number,
): readonly KnownManifest[] {
  // What is of the future was confirmed by a process whose clock is ahead: nobody knows when.
  const old = known.filter(({ checkedAt }) => checkedAt <= since || checkedAt > now + AHEAD)
  old.sort((a, b) => a.checkedAt - b.checkedAt)
  const asked = old.filter((manifest) => manifest.asked)
  const others = old.filter((manifest) => !manifest.asked)
  return [...asked, ...others.slice(0, UNASKED)].slice(0, TAGS)
}
