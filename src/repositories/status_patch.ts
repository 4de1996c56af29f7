import { changesOf } from '../cluster/index.ts'
import { parseDuration } from '../policies/index.ts'
import type { ImageRepositoryStatus } from '../policies/types.ts'
import { checksum } from './checksum.ts'

/** Fields that change with every scan, or belong to others: by themselves no reason to write. */
const TIMELY: ReadonlySet<string> = new Set(['lastScanTime', 'lastUsedTime', 'index', 'indexBytes'])

/**
 * Whether a status is worth writing: it says something new, or the scan that the others know of is
 * older than half an interval.
 */
export function isWorthWriting(
  before: ImageRepositoryStatus | undefined,
  after: ImageRepositoryStatus,
  interval: string,
): boolean {
  if (
    before === undefined ||
    Object.keys(changesOf(before, after)).some((key) => !TIMELY.has(key))
  ) {
    return true
  }
  const age = Date.parse(after.lastScanTime ?? '') - Date.parse(before.lastScanTime ?? '')
  return after.lastScanTime !== undefined && !(age < halfOf(interval))
}

/** What differs, as a JSON Merge Patch: null for what is to go. */
export function statusPatch(
  before: ImageRepositoryStatus | undefined,
  after: ImageRepositoryStatus,
): object {
  return changesOf(before ?? {}, after)
}

/** A checksum of what in a patch is news; empty when it only says that all still holds. */
export function newsOf(patch: object): string {
  const news = Object.entries(patch).filter(([key]) => !TIMELY.has(key))
  return news.length > 0 ? checksum(JSON.stringify(news)) : ''
}

/** Half of an interval, in ms. */
export function halfOf(interval: string): number {
  return (parseDuration(interval) ?? 600_000) / 2
}
