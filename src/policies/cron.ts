import { quote } from './flaw.ts'

/** When a schedule fires: each list sorted, in the schedule's time zone. Frozen data. */
export interface CronSchedule {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  /** days of the month, from 1 */
  readonly days: readonly number[]
  /** from 1 */
  readonly months: readonly number[]
  /** days of the week; 0 is Sunday */
  readonly weekdays: readonly number[]
  /** both kinds of day are restricted: then a day counts that is in either list, else in both */
  readonly eitherDay: boolean
}

/** Why a text is no schedule, and what to write. */
export interface CronFault {
  readonly message: string
  readonly remedy: string
}

interface Field {
  readonly name: string
  readonly least: number
  readonly most: number
  /** names of the values, from `least` */
  readonly names: readonly string[]
}

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')
const WEEKDAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ')
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const FIELDS = [
  field('minute', 0, 59),
  field('hour', 0, 23),
  field('day of month', 1, 31),
  field('month', 1, 12, MONTHS),
  // 7 is Sunday too
  field('day of week', 0, 7, WEEKDAYS),
] as const

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/**
 * Reads a cron schedule as Kubernetes' CronJob has it: minute, hour, day of month, month, day of
 * week, with lists, ranges, steps and names, or `@daily` and the like. A day of week may also be
 * 7 for Sunday, and a range may end with Sunday: `FRI-SUN`. Never throws.
 *
 * @example
 *   const schedule = parseCron('0 2 * * MON-FRI')
 *   if ('message' in schedule) console.log(schedule.message, schedule.remedy)
 */
export function parseCron(text: string): CronSchedule | CronFault {
  const written = text.trim()
  const shorthand = written.startsWith('@')
  const plain = shorthand ? SHORTHANDS[written.toLowerCase()] : written
  if (plain === undefined) {
    const remedy = `Use one of ${Object.keys(SHORTHANDS).join(', ')}, or five fields`
    return { message: `${quote(written)} is not known`, remedy }
  }
  const parts = plain.split(/[ \t]+/)
  if (parts.length !== FIELDS.length) {
    return {
      message: `${quote(written)} has ${parts.length} ${parts.length === 1 ? 'field' : 'fields'}, not 5`,
      remedy: 'Write minute, hour, day of month, month and day of week, such as "0 2 * * 1-5"',
    }
  }
  const lists: (readonly number[])[] = []
  for (const [index, each] of FIELDS.entries()) {
    const values = readField(each, parts[index]!)
    if ('message' in values) return values
    lists.push(values)
  }
  const [minutes, hours, days, months, weekdays] = lists as [
    ...[readonly number[], readonly number[], readonly number[], readonly number[]],
    readonly number[],
  ]
  const eitherDay = days.length < 31 && weekdays.length < 7
  const some = days.some((day) => months.some((month) => day <= LONGEST_MONTHS[month - 1]!))
  if (!some && !eitherDay) {
    const remedy = 'Choose a day that the months have'
    return { message: `${quote(written)} never fires: no such month has that day`, remedy }
  }
  return Object.freeze({ minutes, hours, days, months, weekdays, eitherDay })
}

function field(name: string, least: number, most: number, names: readonly string[] = []): Field {
  return { name, least, most, names }
}

function readField(of: Field, text: string): readonly number[] | CronFault {
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const range = readRange(of, part)
    if ('message' in range) return range
    for (let value = range.from; value <= range.to; value += range.step) {
      values.add(of.most === 7 ? value % 7 : value)
    }
  }
  return Object.freeze([...values].sort((a, b) => a - b))
}

function readRange(
  of: Field,
  part: string,
): { from: number; to: number; step: number } | CronFault {
  const [, span, stride] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(part) ?? []
  const step = stride === undefined ? 1 : Number(stride)
  if (span === undefined || step === 0) return faultOf(of, part)
  const last = of.most === 7 ? 6 : of.most
  if (span === '*' || span === '?') return { from: of.least, to: last, step }
  const [first = '', end, ...rest] = span.split('-')
  const from = numberOf(of, first)
  // 5/10 is from 5 on
  let to = end === undefined ? (stride === undefined ? from : last) : numberOf(of, end)
  if (of.most === 7 && to === 0 && from !== undefined && from > 0) to = 7
  if (from === undefined || to === undefined || rest.length > 0 || from > to) {
    return faultOf(of, part)
  }
  return { from, to, step }
}

function numberOf({ least, most, names }: Field, text: string): number | undefined {
  const named = names.indexOf(text.toUpperCase())
  if (named >= 0) return least + named
  if (!/^[0-9]{1,2}$/.test(text)) return undefined
  const value = Number(text)
  return value >= least && value <= most ? value : undefined
}

function faultOf({ name, least, most, names }: Field, part: string): CronFault {
  const named = names.length === 0 ? '' : ` or ${names[0]} to ${names.at(-1)}`
  return {
    message: `${quote(part)} is no ${name}`,
    remedy: `Write ${least} to ${most}${named}, a list (1,5), a range (1-5) or a step (*/5)`,
  }
}
