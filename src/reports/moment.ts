const FIRST = Date.UTC(0, 0, 1)
const LAST = Date.UTC(10_000, 0, 1) - 1

/** ISO 8601 in UTC; a time with another year than four digits can say stands as the nearest. */
export function isoTime(ms: number): string {
  return new Date(Math.max(FIRST, Math.min(LAST, Math.trunc(ms) || 0))).toISOString()
}
