import { getEventListeners } from 'node:events'
import t from 'tap'
import { createAutoResetEvent, setTimer } from '../../src/scheduling/index.ts'

const FOREVER = 2 ** 31 - 1

t.test('what happened before a wait ends it at once, and but one', async (t) => {
  const event = createAutoResetEvent()
  const { signal } = new AbortController()
  event.set()
  event.set()
  t.equal(await event.wait(FOREVER, signal), true)
  t.equal(await event.wait(0, signal), false)
  event.set()
  event.reset()
  t.equal(await event.wait(0, signal), false)
})

t.test('a wait ends when it happens, with its time, or with the signal', async (t) => {
  const event = createAutoResetEvent()
  const caller = new AbortController()
  const waits = event.wait(FOREVER, caller.signal)
  event.set()
  t.equal(await waits, true)
  t.equal(await event.wait(1, caller.signal, setTimer), false)
  t.strictSame(getEventListeners(caller.signal, 'abort'), [], 'a long-lived signal is let go')
  const last = event.wait(FOREVER, caller.signal)
  caller.abort()
  t.equal(await last, false)
  t.equal(await event.wait(FOREVER, caller.signal), false)
})
