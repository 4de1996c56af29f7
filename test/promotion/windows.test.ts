import fc from 'fast-check'
import t from 'tap'
import { type CronSchedule, parseCron } from '../../src/policies/index.ts'
import { lastFiring, nextFiring } from '../../src/promotion/firing.ts'
import { instantOf, offsetAt } from '../../src/promotion/local_time.ts'
import { isOpen, opensAt } from '../../src/promotion/windows.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const ZONES = [
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'],
  ...['Asia/Beirut', 'Africa/Casablanca', 'Pacific/Kiritimati', 'Pacific/Marquesas'],
]

function cron(text: string): CronSchedule {
  const schedule = parseCron(text)
  if ('message' in schedule) throw new Error(schedule.message)
  return schedule
}

function window(schedule: string, duration: number, timeZone = 'UTC') {
  return { schedule, cron: cron(schedule), timeZone, duration }
}

const iso = (instant: number | undefined) =>
  instant === undefined ? undefined : new Date(instant).toISOString().slice(0, 16)
const ms = (text: string) => Date.parse(`${text}Z`)

t.test('a time of day becomes the instant at which the wall clock shows it', (t) => {
  const rows: [zone: string, wall: string, utc: string, what: string][] = [
    ['UTC', '2026-03-29T02:30', '2026-03-29T02:30', 'UTC'],
    ['Europe/Berlin', '2026-01-10T02:30', '2026-01-10T01:30', 'winter'],
    ['Europe/Berlin', '2026-07-10T02:30', '2026-07-10T00:30', 'summer'],
    ['Europe/Berlin', '2026-03-29T01:59', '2026-03-29T00:59', 'before the gap'],
    ['Europe/Berlin', '2026-03-29T02:30', '2026-03-29T01:30', 'in the gap: as 03:30'],
    ['Europe/Berlin', '2026-03-29T03:00', '2026-03-29T01:00', 'behind the gap'],
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30', 'comes twice: the first'],
    ['Europe/Berlin', '2026-10-25T03:00', '2026-10-25T02:00', 'behind the overlap'],
    ['America/New_York', '2026-03-08T02:30', '2026-03-08T07:30', 'in the gap: as 03:30'],
    ['America/New_York', '2026-11-01T01:30', '2026-11-01T05:30', 'comes twice: the first'],
    ['Asia/Kathmandu', '2026-05-05T02:30', '2026-05-04T20:45', 'an offset of 5:45'],
    ['Australia/Lord_Howe', '2026-10-04T02:15', '2026-10-03T15:45', 'a gap of half an hour'],
    ['Asia/Beirut', '2026-03-29T00:15', '2026-03-28T22:15', 'a gap at midnight'],
    ['Pacific/Apia', '2011-12-30T02:30', '2011-12-30T12:30', 'a day that never was'],
    ['Pacific/Kiritimati', '2026-05-05T02:30', '2026-05-04T12:30', '14 hours ahead'],
  ]
  for (const [zone, wall, utc, what] of rows) {
    t.equal(iso(instantOf(zone, ms(wall))), utc, `${zone} ${wall}: ${what}`)
  }
  for (const name of ['', 'Mars/Olympus', '__proto__', 'x'.repeat(300), 'Europe/Berlin\u0000']) {
    t.throws(() => offsetAt(name, 0), RangeError, JSON.stringify(name))
  }
  t.end()
})

t.test(
  'a 02:30 window opens once on the day the clock goes forward, and once on the other',
  (t) => {
    const rows: [zone: string, from: string, firings: string[]][] = [
      [
        'Europe/Berlin',
        '2026-03-28T00:00',
        ['2026-03-28T01:30', '2026-03-29T01:30', '2026-03-30T00:30'],
      ],
      [
        'Europe/Berlin',
        '2026-10-24T00:00',
        ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'],
      ],
    ]
    for (const [zone, from, firings] of rows) {
      let now = ms(from)
      const found = firings.map(() => {
        now = nextFiring(cron('30 2 * * *'), zone, now) ?? 0
        return iso(now)
      })
      t.strictSame(found, firings)
    }
    const windows = [window('30 2 * * *', HOUR, 'Europe/Berlin')]
    const open = (text: string) => isOpen(windows, ms(text))
    t.notOk(open('2026-03-29T01:29'))
    t.ok(open('2026-03-29T01:30'), 'at 03:30 summer time')
    t.notOk(open('2026-03-29T02:30'), 'for an hour')
    t.ok(open('2026-10-25T00:45'), 'at the first 02:45')
    t.notOk(open('2026-10-25T01:45'), 'and not at the second')
    t.end()
  },
)

t.test('a schedule of one time a day fires once on each day of the year, in every zone', (t) => {
  for (const zone of ZONES) {
    for (const time of ['0 0', '30 0', '0 2', '30 2', '0 3', '59 23']) {
      const start = instantOf(zone, ms('2026-01-01T12:00'))
      let now = start
      for (let count = 0; count < 365; count += 1)
        now = nextFiring(cron(`${time} * * *`), zone, now) ?? 0
      const days = (now + offsetAt(zone, now) - ms('2026-01-01T00:00')) / DAY
      t.equal(Math.floor(days), time === '59 23' ? 364 : 365, `${zone} ${time}`)
    }
  }
  t.end()
})

t.test('a window is open from its firing for as long as it says', (t) => {
  const windows = [window('0 2 * * 1-5', 3 * HOUR, 'Europe/Berlin')]
  const rows: [now: string, open: boolean, next: string][] = [
    ['2026-11-20T00:59', false, '2026-11-20T01:00'],
    ['2026-11-20T01:00', true, '2026-11-23T01:00'],
    ['2026-11-20T03:59', true, '2026-11-23T01:00'],
    ['2026-11-20T04:00', false, '2026-11-23T01:00'],
    ['2026-11-21T01:30', false, '2026-11-23T01:00'],
  ]
  for (const [now, open, next] of rows) {
    t.equal(isOpen(windows, ms(now)), open, now)
    t.equal(iso(opensAt(windows, ms(now))), next, now)
  }
  t.end()
})

t.test('windows that overlap, last for days, are none, or never open', (t) => {
  t.ok(isOpen([], 0), 'none: always')
  t.equal(opensAt([], 0), undefined)
  const two = [window('0 1 * * *', HOUR), window('30 1 * * *', HOUR)]
  t.ok(isOpen(two, ms('2026-05-05T02:15')))
  t.notOk(isOpen(two, ms('2026-05-05T02:30')))
  t.equal(iso(opensAt(two, ms('2026-05-05T01:00'))), '2026-05-05T01:30', 'the next one of any')
  const week = [window('0 0 1 * *', 7 * DAY)]
  t.ok(isOpen(week, ms('2026-05-07T23:59')))
  t.notOk(isOpen(week, ms('2026-05-08T00:00')))
  const leap = [window('0 0 29 2 *', HOUR)]
  t.equal(iso(opensAt(leap, ms('2026-05-05T00:00'))), '2028-02-29T00:00')
  t.equal(iso(opensAt(leap, ms('2096-03-01T00:00'))), '2104-02-29T00:00', 'eight years on')
  const either = [window('0 0 13 * 5', HOUR)]
  t.equal(iso(opensAt(either, ms('2026-05-05T00:00'))), '2026-05-08T00:00', 'a Friday')
  t.equal(iso(opensAt(either, ms('2026-05-08T00:00'))), '2026-05-13T00:00', 'or a 13th')
  const never = [{ ...window('0 0 * * *', HOUR), cron: { ...cron('0 0 30 1 *'), months: [2] } }]
  t.equal(opensAt(never, 0), undefined)
  t.notOk(isOpen(never, 0))
  t.end()
})

t.test('laws of firing: it lies ahead, nothing lies between, and looking back finds it', (t) => {
  const schedules = fc.record({
    hours: fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 4 }),
    minutes: fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 4 }),
    weekdays: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }),
  })
  const instants = fc.integer({ min: ms('2025-01-01T00:00'), max: ms('2028-01-01T00:00') })
  fc.assert(
    fc.property(schedules, fc.constantFrom(...ZONES), instants, (parts, zone, now) => {
      const sorted = (list: number[]) => list.toSorted((a, b) => a - b)
      const schedule = {
        ...cron('* * * * *'),
        hours: sorted(parts.hours),
        minutes: sorted(parts.minutes),
        weekdays: sorted(parts.weekdays),
      }
      const next = nextFiring(schedule, zone, now)
      if (next === undefined || next <= now) return false
      const back = lastFiring(schedule, zone, next, now)
      const between = lastFiring(schedule, zone, next - 1, now)
      const windows = [{ ...window('* * * * *', 60_000, zone), cron: schedule }]
      return back === next && between === undefined && isOpen(windows, next)
    }),
    { numRuns: 300 },
  )
  t.end()
})
