import { getEventListeners } from 'node:events'
import t from 'tap'
import { unlessAborted, untilAborted } from '../../src/scheduling/index.ts'

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
