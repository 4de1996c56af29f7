import fc from 'fast-check'
import t from 'tap'
import { type CronSchedule, parseCron } from '../../src/policies/index.ts'

function schedule(text: string): CronSchedule {
  const read = parseCron(text)
  if ('message' in read) throw new Error(`${text}: ${read.message}`)
  return read
}

const upTo = (last: number, from = 0, step = 1) =>
  Array.from({ length: Math.floor((last - from) / step) + 1 }, (_, index) => from + index * step)

t.test('what people write for a maintenance window', (t) => {
  t.strictSame(schedule('0 2 * * 1-5'), {
    minutes: [0],
    hours: [2],
    days: upTo(31, 1),
    months: upTo(12, 1),
    weekdays: [1, 2, 3, 4, 5],
    eitherDay: false,
  })
  const rows: [text: string, field: keyof CronSchedule, values: unknown][] = [
    ['* * * * *', 'minutes', upTo(59)],
    ['? * ? * ?', 'minutes', upTo(59)],
    ['*/15 * * * *', 'minutes', [0, 15, 30, 45]],
    ['5-20/5 * * * *', 'minutes', [5, 10, 15, 20]],
    ['50/5 * * * *', 'minutes', [50, 55]],
    ['1,1,0,59 * * * *', 'minutes', [0, 1, 59]],
    ['00 08 * * *', 'hours', [8]],
    ['0 22-23,0-4 * * *', 'hours', [0, 1, 2, 3, 4, 22, 23]],
    ['0 0 1 JAN,jul *', 'months', [1, 7]],
    ['0 0 1 MAR-MAY *', 'months', [3, 4, 5]],
    ['0 0 * * MON-FRI', 'weekdays', [1, 2, 3, 4, 5]],
    ['0 0 * * 7', 'weekdays', [0]],
    ['0 0 * * 5-7', 'weekdays', [0, 5, 6]],
    ['0 0 * * fri-sun', 'weekdays', [0, 5, 6]],
    ['0 0 * * 0-6', 'weekdays', upTo(6)],
    ['0 0 * * 0-7', 'weekdays', upTo(6)],
    ['0 0 * * */2', 'weekdays', [0, 2, 4, 6]],
    ['  0\t0  * * SUN ', 'weekdays', [0]],
    ['0 0 13 * 5', 'eitherDay', true],
    ['0 0 */2 * 5', 'eitherDay', true],
    ['0 0 1-31 * 5', 'eitherDay', false],
    ['0 0 13 * *', 'eitherDay', false],
    ['0 0 29 2 *', 'days', [29]],
    ['0 0 31 2 1', 'eitherDay', true],
  ]
  for (const [text, field, values] of rows) t.strictSame(schedule(text)[field], values, text)
  t.end()
})

t.test('shorthands are what Kubernetes takes them for', (t) => {
  for (const [short, long] of [
    ['@hourly', '0 * * * *'],
    ['@daily', '0 0 * * *'],
    ['@midnight', '0 0 * * *'],
    ['@weekly', '0 0 * * 0'],
    ['@monthly', '0 0 1 * *'],
    ['@yearly', '0 0 1 1 *'],
    ['@Annually', '0 0 1 1 *'],
  ] as const) {
    t.strictSame(schedule(short), schedule(long), short)
  }
  t.end()
})

t.test('what is no schedule says which part, and what to write', (t) => {
  const rows: [text: string, message: RegExp, remedy: RegExp][] = [
    ['', /"" has 1 field, not 5/, /minute, hour/],
    ['* * * *', /has 4 fields, not 5/, /such as "0 2/],
    ['0 0 2 * * 1-5', /has 6 fields/, /minute/],
    ['CRON_TZ=UTC 0 2 * * *', /has 6 fields/, /minute/],
    ['60 * * * *', /"60" is no minute/, /0 to 59/],
    ['* 24 * * *', /"24" is no hour/, /0 to 23/],
    ['* * 0 * *', /"0" is no day of month/, /1 to 31/],
    ['* * 32 * *', /"32" is no day of month/, /1 to 31/],
    ['* * * 13 *', /"13" is no month/, /1 to 12 or JAN to DEC/],
    ['* * * * 8', /"8" is no day of week/, /0 to 7 or SUN to SAT/],
    ['* * * MON *', /"MON" is no month/, /JAN/],
    ['5-1 * * * *', /"5-1" is no minute/, /a range \(1-5\)/],
    ['1-2-3 * * * *', /"1-2-3" is no minute/, /range/],
    ['*/0 * * * *', /"\*\/0" is no minute/, /step/],
    ['*/ * * * *', /"\*\/" is no minute/, /step/],
    ['/5 * * * *', /"\/5" is no minute/, /step/],
    ['1,,2 * * * *', /"" is no minute/, /list/],
    ['-1 * * * *', /"-1" is no minute/, /0 to 59/],
    ['1.5 * * * *', /"1.5" is no minute/, /0 to 59/],
    ['0x1 * * * *', /"0x1" is no minute/, /0 to 59/],
    ['٣ * * * *', /is no minute/, /0 to 59/],
    ['L * * * *', /"L" is no minute/, /0 to 59/],
    ['__proto__ * * * *', /"__proto__" is no minute/, /0 to 59/],
    ['*\0 * * * *', /"\*\\u0000" is no minute/, /0 to 59/],
    [`${'1,'.repeat(300)}1 * * *`, /has 4 fields/, /minute/],
    ['@every 1h', /"@every 1h" is not known/, /@daily/],
    ['@reboot', /"@reboot" is not known/, /five fields/],
    ['@__proto__', /is not known/, /@daily/],
    ['0 0 30 2 *', /never fires/, /day that the months have/],
    ['0 0 31 4,6,9,11 *', /never fires/, /day/],
  ]
  for (const [text, message, remedy] of rows) {
    t.match(parseCron(text), { message, remedy }, JSON.stringify(text.slice(0, 60)))
  }
  t.end()
})

t.test('law: a text is a schedule of sorted values within bounds, or has a remedy', (t) => {
  const part = fc.oneof(
    fc.constantFrom('*', '?', '1', '7', 'MON', 'JAN', '*/5', '1-5', '9-3', '', '1,2', '99', '5/2'),
    fc.string({ maxLength: 6 }),
  )
  const text = fc.array(part, { minLength: 4, maxLength: 6 }).map((parts) => parts.join(' '))
  fc.assert(
    fc.property(text, (written) => {
      const read = parseCron(written)
      if ('message' in read) return read.message !== '' && read.remedy !== ''
      const { minutes, hours, days, months, weekdays } = read
      return [
        [minutes, 0, 59],
        [hours, 0, 23],
        [days, 1, 31],
        [months, 1, 12],
        [weekdays, 0, 6],
      ].every(([list, least, most]) => {
        const values = list as number[]
        return (
          values.length > 0 &&
          values.every(
            (value, index) =>
              value >= Number(least) &&
              value <= Number(most) &&
              (index === 0 || value > values[index - 1]!),
          )
        )
      })
    }),
    { numRuns: 2000 },
  )
  t.end()
})
