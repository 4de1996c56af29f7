import t from 'tap'
import { createOutage } from '../../src/cluster/outage.ts'
import { FakeClock } from './fake_clock.ts'

function started() {
  const clock = new FakeClock()
  const outage = createOutage(clock)
  const ending = new AbortController()
  const woken: number[] = []
  const sleep = (ms: number) =>
    void outage.sleep(ms, ending.signal).then(() => woken.push(clock.elapsed()))
  return { clock, outage, ending, woken, sleep }
}

t.test('who waits for an API server that was away goes on when it answers', async (t) => {
  const { clock, outage, woken, sleep } = started()
  outage.noteAway()
  sleep(10_000)
  sleep(60_000)
  await clock.pass(2_000)
  t.strictSame(woken, [])
  outage.noteAnswer()
  await clock.pass(500)
  t.equal(woken.length, 2)
  t.ok(
    woken.every((at) => at >= 2_000 && at <= 2_500),
    `not all at once: ${woken}`,
  )
})

t.test('an answer without an outage wakes nobody', async (t) => {
  const { clock, outage, woken, sleep } = started()
  sleep(10_000)
  outage.noteAnswer()
  await clock.pass(9_999)
  t.strictSame(woken, [])
  await clock.pass(1)
  t.strictSame(woken, [10_000])
})

t.test('a signal ends the sleep, also before it begins', async (t) => {
  const { clock, ending, woken, sleep } = started()
  sleep(10_000)
  await clock.pass(100)
  ending.abort()
  await clock.pass(0)
  sleep(10_000)
  await clock.pass(0)
  t.strictSame(woken, [100, 100])
})
