import fc from 'fast-check'
import t from 'tap'
import { createSchedule } from '../../src/scanner/schedule.ts'

const HOUR = 3_600_000
const NOW = 1_800_000_000_000
const INTERVAL = 600_000

function schedule(random = 0.5) {
  return createSchedule({ interval: INTERVAL, random: () => random })
}

t.test('a repository is due an interval after it was scanned, 10 % more or less', async (t) => {
  for (const [random, factor] of [
    [0, 0.9],
    [0.5, 1],
    [0.999999, 1.1],
  ] as const) {
    const plan = schedule(random)
    t.equal(plan.use('a', NOW, NOW), true, 'it is new')
    t.equal(plan.use('a', NOW, NOW), false)
    const at = plan.nextAt() ?? 0
    t.equal(Math.round((at - NOW) / 1000), Math.round((INTERVAL * factor) / 1000))
    t.strictSame(plan.take(at - 1), [])
    t.strictSame(plan.take(at), ['a'])
    t.strictSame(plan.take(at), [], 'it runs')
    t.equal(plan.nextAt(), undefined)
    plan.finish('a', at, false)
    t.equal(Math.round(((plan.nextAt() ?? 0) - at) / 1000), Math.round((INTERVAL * factor) / 1000))
  }
})

t.test('what is overdue at the start is spread over half a minute', async (t) => {
  let next = 0
  const plan = createSchedule({ interval: INTERVAL, random: () => (next++ % 100) / 100 })
  for (let n = 0; n < 100; n += 1) plan.adopt(`r${n}`, NOW - HOUR, NOW)
  const counts = [0, 10, 20, 30].map((seconds) => plan.take(NOW + seconds * 1000).length)
  t.equal(
    counts.reduce((sum, count) => sum + count),
    100,
  )
  t.ok(
    counts.slice(1).every((count) => count >= 20 && count <= 45),
    String(counts),
  )
})

t.test('a clock that is set back holds up no scan', async (t) => {
  const plan = schedule()
  plan.use('a', NOW, NOW)
  const now = NOW - 6 * HOUR
  t.strictSame(plan.take(now), [])
  t.strictSame(plan.take(now + 30_000), ['a'])
  plan.finish('a', now + 30_000, false)
  t.strictSame(plan.take(now + 60_000), [], 'and then it has its interval')
})

t.test('the longest overdue is first', async (t) => {
  const plan = schedule()
  plan.use('young', NOW - 1_000, NOW)
  plan.use('old', NOW - INTERVAL / 2, NOW)
  plan.use('never', 0, NOW)
  t.strictSame(plan.take(NOW + INTERVAL), ['never', 'old', 'young'])
})

t.test('what nobody asked for in a day is not scanned any more', async (t) => {
  const plan = schedule()
  plan.adopt('used', NOW - HOUR, NOW)
  plan.adopt('idle', NOW - 25 * HOUR, NOW)
  t.strictSame(plan.take(NOW + INTERVAL), ['used'])
  t.equal(plan.use('idle', NOW - 25 * HOUR, NOW + INTERVAL), true, 'until somebody does')
  plan.finish('used', NOW, false)
  plan.use('used', NOW, NOW + 12 * HOUR)
  t.strictSame(plan.take(NOW + 36 * HOUR), ['used'], 'a day after the last use')
  plan.finish('used', NOW + 36 * HOUR, false)
  t.strictSame(plan.take(NOW + 37 * HOUR), [])
})

t.test('what is watched is scanned though nobody asks, until it is watched no more', async (t) => {
  const plan = schedule()
  plan.watch(['a', 'b', 'a', '__proto__'], NOW)
  t.strictSame(plan.take(NOW + 30_000).toSorted(), ['__proto__', 'a', 'b'])
  for (const name of ['a', 'b', '__proto__']) plan.finish(name, NOW, false)
  plan.watch(['b'], NOW)
  t.strictSame(plan.take(NOW + 1000 * HOUR), ['b'])
})

t.test(
  'a failing scan is tried again sooner, then later each time, up to the interval',
  async (t) => {
    const plan = schedule()
    plan.use('a', 0, NOW)
    const waits = Array.from({ length: 10 }, () => {
      plan.finish('a', NOW, true)
      return ((plan.nextAt() ?? 0) - NOW) / 1000
    })
    t.strictSame(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600, 600])
    plan.finish('a', NOW, false)
    plan.finish('a', NOW, true)
    t.equal((plan.nextAt() ?? 0) - NOW, 5_000, 'a success makes it forget')
  },
)

t.test('a scan that ends of something that is not here changes nothing', async (t) => {
  const plan = schedule()
  plan.finish('a', NOW, true)
  t.equal(plan.nextAt(), undefined)
})

t.test(
  'a time in the future, as after the clock was set back, delays by an interval',
  async (t) => {
    const plan = schedule()
    plan.use('a', NOW + 1000 * HOUR, NOW)
    t.equal(plan.nextAt(), NOW + INTERVAL)
  },
)

t.test('names without end cost a bounded memory, and never what is watched', async (t) => {
  const plan = schedule()
  plan.watch(['watched'], NOW)
  for (let n = 0; n < 10_500; n += 1) plan.use(`r${n}`, NOW, NOW + n)
  const due = plan.take(NOW + INTERVAL + 20_000)
  t.equal(due.length, 10_000)
  t.ok(due.includes('watched'))
  t.ok(due.includes('r10499'))
  t.notOk(due.includes('r0'), 'the one that was used longest ago went')
})

t.test('whatever happens, a used repository is taken again within 1.1 intervals', async (t) => {
  const step = fc.record({
    pass: fc.integer({ min: 0, max: INTERVAL }),
    failed: fc.boolean(),
    random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (list) => {
      let random = 0.5
      const plan = createSchedule({ interval: INTERVAL, random: () => random })
      let now = NOW
      let last = NOW
      plan.use('a', 0, now)
      return list.every((one) => {
        now += one.pass
        random = one.random
        plan.use('a', last, now)
        if (plan.take(now).length === 0) return now - last <= 1.1 * INTERVAL
        last = now
        plan.finish('a', now, one.failed)
        return true
      })
    }),
  )
  t.pass('for every sequence')
})

t.test('only what should have been scanned is overdue', async (t) => {
  const pace = new Map([
    ['rare', { interval: 24 * HOUR }],
    ['still', { suspend: true }],
  ])
  const plan = createSchedule({
    interval: INTERVAL,
    random: () => 0.5,
    pace: (key) => pace.get(key),
  })
  const scanned = new Map<string, number>()
  const overdue = (now: number) => plan.overdue((key) => scanned.get(key) ?? 0, now)
  t.equal(overdue(NOW), 0, 'nothing is there')
  plan.watch(['usual', 'rare', 'still'], NOW)
  plan.use('once', NOW, NOW)
  for (const key of ['usual', 'rare', 'still', 'once']) scanned.set(key, NOW)
  t.equal(overdue(NOW + 1.1 * INTERVAL), 0)
  t.equal(overdue(NOW + 1.1 * INTERVAL + 5), 5)
  scanned.set('usual', NOW + 30 * HOUR)
  t.equal(overdue(NOW + 25 * HOUR), 0, 'nobody asked for the one that was used once')
  t.equal(Math.round(overdue(NOW + 27 * HOUR) / HOUR), 1, 'a longer interval is minded')
})

t.test('what is watched and could never be scanned is overdue too', async (t) => {
  const plan = createSchedule({
    interval: INTERVAL,
    random: () => 0.5,
    pace: (key) => ({ suspend: key === 'still' }),
  })
  const overdue = (now: number) => plan.overdue(() => 0, now)
  plan.watch(['still'], NOW)
  plan.use('a slip of the pen', 0, NOW)
  t.equal(overdue(NOW + 2 * HOUR), 0, 'one that is suspended, or that a review has named, is not')
  plan.watch(['new', 'still'], NOW + 2 * HOUR)
  t.equal(overdue(NOW + 2 * HOUR + INTERVAL), 0, 'it has just come')
  plan.watch(['new', 'still'], NOW + 3 * HOUR)
  t.equal(Math.round(overdue(NOW + 4 * HOUR + 1.1 * INTERVAL) / HOUR), 2, 'policies came meanwhile')
  plan.watch([], NOW + 5 * HOUR)
  t.equal(overdue(NOW + 5 * HOUR), 0, 'nobody names it any more')
})
