import { EventEmitter } from 'node:events'
import t from 'tap'
import { createSharedRequests } from '../../src/scanner/shared_requests.ts'

/** A request that ends when told to, and counts how often it was begun. */
function controlled() {
  const requests = createSharedRequests<string>()
  let end = (_: string) => {}
  const begun: string[] = []
  const join = (key: string, signal?: AbortSignal) =>
    requests.join(
      key,
      () => {
        begun.push(key)
        return new Promise((resolve) => {
          end = resolve
        })
      },
      signal,
    )
  return { requests, begun, join, end: (value: string) => end(value) }
}

t.test('all who ask for the same get the one answer', async (t) => {
  const { join, begun, end } = controlled()
  const answers = [join('a'), join('a'), join('a', new AbortController().signal)]
  end('well')
  t.strictSame(await Promise.all(answers), ['well', 'well', 'well'])
  t.strictSame(begun, ['a'])
})

t.test('who asks after the answer begins another request', async (t) => {
  const { join, begun, end } = controlled()
  const first = join('a')
  end('one')
  t.equal(await first, 'one')
  const second = join('a')
  end('two')
  t.equal(await second, 'two')
  t.equal(begun.length, 2)
})

t.test('keys are kept apart, whatever they are', async (t) => {
  const { join, begun } = controlled()
  for (const key of ['', '__proto__', 'constructor', '🦊', 'a'.repeat(300)]) void join(key)
  t.equal(begun.length, 5)
})

t.test('who leaves is let go at once, and the others stay', async (t) => {
  const { join, end } = controlled()
  const leaving = new AbortController()
  const left = join('a', leaving.signal)
  const stays = join('a')
  leaving.abort(new Error('no time'))
  await t.rejects(left, /no time/)
  end('well')
  t.equal(await stays, 'well')
})

t.test('a request that everybody left goes on for the next who asks', async (t) => {
  const { join, begun, end } = controlled()
  const leaving = new AbortController()
  const left = join('a', leaving.signal)
  leaving.abort(new Error('no time'))
  await t.rejects(left)
  const next = join('a')
  end('well')
  t.equal(await next, 'well')
  t.equal(begun.length, 1)
})

t.test('nothing is left on the signal after the answer', async (t) => {
  const { join, end } = controlled()
  const { signal } = new AbortController()
  const answers = Array.from({ length: 50 }, () => join('a', signal))
  end('well')
  await Promise.all(answers)
  t.equal(EventEmitter.getEventListeners(signal, 'abort').length, 0)
})

t.test('idle waits for all that run, also for what begins meanwhile', async (t) => {
  const { requests, join, end } = controlled()
  void join('a')
  let idle = false
  const waiting = requests.idle().then(() => {
    idle = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(idle, false)
  end('well')
  await waiting
  t.equal(idle, true)
  await requests.idle()
})
