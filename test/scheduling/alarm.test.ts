import t from 'tap'
import { createAlarm } from '../../src/scheduling/index.ts'

/** Time that passes when a test says so. */
function standstill() {
  let now = 0
  let armed: { readonly at: number; readonly run: () => void } | undefined
  const alarm = createAlarm(
    () => now,
    (run, ms) => {
      const mine = { at: now + ms, run }
      armed = mine
      return () => {
        if (armed === mine) armed = undefined
      }
    },
  )
  return {
    alarm,
    isArmed: () => armed !== undefined,
    passTo(end: number) {
      while (armed && armed.at <= end) {
        const { at, run } = armed
        now = at
        armed = undefined
        run()
      }
      now = end
    },
    set: (to: number) => {
      now = to
    },
  }
}

t.test('each name is called once, at the last time that was set for it', async (t) => {
  const { alarm, passTo, isArmed } = standstill()
  const called: string[] = []
  alarm.set('late', 3_600_000, () => called.push('late'))
  alarm.set('moved', 1_000, () => called.push('too early'))
  alarm.set('moved', 2_000, () => called.push('moved'))
  alarm.set('cleared', 1_500, () => called.push('cleared'))
  alarm.clear('cleared')
  passTo(1_999)
  t.strictSame(called, [])
  passTo(2_000)
  t.strictSame(called, ['moved'])
  passTo(3_599_999)
  t.strictSame(called, ['moved'])
  passTo(3_600_000)
  t.strictSame(called, ['moved', 'late'])
  t.notOk(isArmed(), 'nothing is left to wait for')
})

t.test('a clock that is set forward is noticed within a minute', async (t) => {
  const { alarm, passTo, set } = standstill()
  let called = 0
  alarm.set('in a day', 86_400_000, () => called++)
  set(86_400_000)
  passTo(86_400_001)
  t.equal(called, 1)
})

t.test('once closed, it calls nobody', async (t) => {
  const { alarm, passTo, isArmed } = standstill()
  alarm.set('any', 1_000, () => t.fail('it was closed'))
  alarm.close()
  passTo(10_000)
  t.notOk(isArmed())
})

t.test('more names than a call may have arguments', async (t) => {
  const { alarm, passTo } = standstill()
  let called = 0
  for (let index = 0; index < 200_000; index++) alarm.set(`${index}`, 1_000 + index, () => called++)
  passTo(1_001)
  t.equal(called, 2)
  alarm.close()
})
