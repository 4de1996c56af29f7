import { getEventListeners } from 'node:events'
import t from 'tap'
import {
  pause,
  setTimer,
  unlessAborted,
  untilAborted,
  withinTime,
} from '../../src/scheduling/index.ts'

t.test('whoever waits is let go by the signal; the work goes on', async (t) => {
  const ending = new AbortController()
  const { promise, resolve } = Promise.withResolvers<number>()
  const waits = unlessAborted(promise, ending.signal)
  ending.abort(new Error('no more patience'))
  await t.rejects(waits, { message: 'no more patience' })
  await t.rejects(unlessAborted(promise, ending.signal), { message: 'no more patience' }, 'at once')
  await t.rejects(
    unlessAborted(promise, ending.signal, () => new Error('late')),
    { message: 'late' },
  )
  resolve(1)
  t.equal(await promise, 1)
})

t.test('what comes in time is handed on, and the signal is let go', async (t) => {
  const { signal } = new AbortController()
  t.equal(await unlessAborted(Promise.resolve(1), signal), 1)
  t.equal(await unlessAborted(Promise.resolve(2), undefined), 2)
  await t.rejects(unlessAborted(Promise.reject(new Error('broken')), signal), { message: 'broken' })
  t.strictSame(getEventListeners(signal, 'abort'), [])
})

t.test('work that fails when nobody waits any more troubles nobody', async (t) => {
  const waits = unlessAborted(Promise.reject(new Error('broken')), AbortSignal.abort('over'))
  t.equal(await waits.catch((reason) => reason), 'over')
})

t.test('a signal is waited for', async (t) => {
  const ending = new AbortController()
  const over = untilAborted(ending.signal)
  ending.abort()
  await over
  await t.resolves(untilAborted(ending.signal))
})

t.test('work in time hears of the end of its time, and of the caller’s', async (t) => {
  const heard = (signal: AbortSignal) => untilAborted(signal).then(() => signal.reason)
  const caller = new AbortController()
  const waits = withinTime(60_000, caller.signal, heard)
  caller.abort('no more patience')
  t.equal(await waits, 'no more patience')
  t.equal(await withinTime(60_000, caller.signal, heard), 'no more patience', 'at once')
  t.match(await withinTime(0, undefined, heard), { name: 'AbortError' })
  const { signal } = new AbortController()
  t.equal(await withinTime(60_000, signal, async () => 1), 1)
  await t.rejects(
    withinTime(60_000, signal, () => Promise.reject(new Error('broken'))),
    {
      message: 'broken',
    },
  )
  t.strictSame(getEventListeners(signal, 'abort'), [], 'a long-lived signal is let go')
})

t.test('a pause ends with its time or with the signal', async (t) => {
  const caller = new AbortController()
  await pause(1, caller.signal, setTimer)
  await pause(0, caller.signal)
  t.strictSame(getEventListeners(caller.signal, 'abort'), [], 'the signal is let go')
  const waits = pause(2 ** 31 - 1, caller.signal)
  caller.abort()
  await waits
  await pause(2 ** 31 - 1, caller.signal)
  t.pass('at once')
})
