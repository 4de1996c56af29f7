const DAY = 86_400_000
/** There are some 600 time zones; a text that is none is refused, and so never kept. */
const formats = new Map<string, Intl.DateTimeFormat>()

/**
 * How far the wall clock of a time zone is ahead of UTC at an instant, in ms.
 *
 * @throws RangeError for a name that is no IANA time zone
 */
export function offsetAt(timeZone: string, instant: number): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = (
    ['year', 'month', 'day', 'hour', 'minute', 'second'] as const
  ).map((type) => parts.get(type))
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  return wall - Math.floor(instant / 1000) * 1000
}

/**
 * The instant at which the wall clock of a time zone shows a time. One that is left out when the
 * clock goes forward counts as much later as the clock was set; of two when it goes back, the
 * first counts.
 *
 * @param wall the time as if it were UTC, in ms since the epoch
 */
export function instantOf(timeZone: string, wall: number): number {
  // No zone is further from UTC than 14 hours, so a day to both sides is outside of a change.
  const before = offsetAt(timeZone, wall - DAY)
  const after = offsetAt(timeZone, wall + DAY)
  if (before === after) return wall - before
  const early = wall - before
  if (offsetAt(timeZone, early) === before) return early
  const late = wall - after
  return offsetAt(timeZone, late) === after ? late : early
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23' },
      ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    })
    formats.set(timeZone, format)
  }
  return format
}
