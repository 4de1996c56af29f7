import { quote } from './flaw.ts'

/** What is wrong with a date and time of RFC 3339; undefined if nothing is. */
export function timeFlaw(text: string): string | undefined {
  const [, year = '', month = '', day = ''] = /^(\d{4})-(\d{2})-(\d{2})T/.exec(text) ?? []
  // JavaScript takes the 30th of February for the 1st or 2nd of March
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  const there = Number(day) <= lastDay && !Number.isNaN(Date.parse(text))
  return there ? undefined : `${quote(text)} is no day and time`
}
