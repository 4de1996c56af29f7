import type { CronSchedule } from '../policies/index.ts'
import { instantOf, offsetAt } from './local_time.ts'

const DAY = 86_400_000
const HOUR = 3_600_000
const MINUTE = 60_000
/** The 29th of February is up to eight years away. */
const MOST_DAYS = 8 * 366 + 1

/**
 * The first time after an instant at which a schedule fires; undefined if that is never.
 *
 * A time of the wall clock that is left out when the clock goes forward fires as much later as the
 * clock was set, and one that comes twice fires at its first coming only. So a schedule of one time
 * a day fires once on each day.
 */
export function nextFiring(
  schedule: CronSchedule,
  timeZone: string,
  after: number,
): number | undefined {
  // A firing that was moved out of a gap may fall on the next day, so one day more is looked at.
  const from = wallDay(timeZone, after) - DAY
  let best: number | undefined
  for (let index = 0; index < MOST_DAYS; index += 1) {
    const first = firingsOf(schedule, timeZone, from + index * DAY)
      .filter((each) => each > after)
      .reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
    if (best !== undefined) return Math.min(best, first)
    if (first !== Number.POSITIVE_INFINITY) best = first
  }
  return best
}

/** The last time up to an instant, and after another one, at which it fired; undefined if none. */
export function lastFiring(
  schedule: CronSchedule,
  timeZone: string,
  upTo: number,
  after: number,
): number | undefined {
  const end = wallDay(timeZone, after) - DAY
  let best: number | undefined
  for (let day = wallDay(timeZone, upTo); day >= end; day -= DAY) {
    const last = firingsOf(schedule, timeZone, day)
      .filter((each) => each <= upTo && each > after)
      .reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
    if (best !== undefined) return Math.max(best, last)
    if (last !== Number.NEGATIVE_INFINITY) best = last
  }
  return best
}

/** The midnight that begins the day of an instant by the wall clock, as if it were UTC. */
function wallDay(timeZone: string, instant: number): number {
  const wall = instant + offsetAt(timeZone, instant)
  return wall - (((wall % DAY) + DAY) % DAY)
}

function firingsOf(schedule: CronSchedule, timeZone: string, day: number): number[] {
  if (!firesOn(schedule, new Date(day))) return []
  const { minutes, hours } = schedule
  const offset = offsetAt(timeZone, day - DAY)
  const steady = offset === offsetAt(timeZone, day + 2 * DAY)
  return hours.flatMap((hour) =>
    minutes.map((minute) => {
      const wall = day + hour * HOUR + minute * MINUTE
      return steady ? wall - offset : instantOf(timeZone, wall)
    }),
  )
}

function firesOn({ days, months, weekdays, eitherDay }: CronSchedule, date: Date): boolean {
  const inMonth = days.includes(date.getUTCDate())
  const inWeek = weekdays.includes(date.getUTCDay())
  const onDay = eitherDay ? inMonth || inWeek : inMonth && inWeek
  return onDay && months.includes(date.getUTCMonth() + 1)
}
