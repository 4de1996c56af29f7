import t from 'tap'
import { createHostQueue } from '../../src/scanner/host_queue.ts'

const PATIENT = new AbortController().signal

/** Work that ends when told to, and notes what runs. */
function workshop() {
  const queue = createHostQueue()
  const running: string[] = []
  const ends = new Map<string, () => void>()
  const results: Promise<string>[] = []
  return {
    queue,
    running,
    results,
    begin(name: string, background = false, signal = PATIENT, host = 'h') {
      const result = queue.run(host, background, signal, () => {
        running.push(name)
        return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
      })
      result.catch(() => {})
      results.push(result)
      return result
    },
    async end(name: string) {
      running.splice(running.indexOf(name), 1)
      ends.get(name)?.()
      await new Promise((resolve) => setImmediate(resolve))
    },
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

t.test('eight run at once; the next runs when one ends, in the order they came', async (t) => {
  const shop = workshop()
  for (let n = 0; n < 12; n += 1) shop.begin(`w${n}`)
  await shop.settle()
  t.strictSame(shop.running.length, 8)
  await shop.end('w3')
  t.equal(shop.running.at(-1), 'w8')
  await shop.end('w0')
  t.equal(shop.running.at(-1), 'w9')
  for (const name of ['w1', 'w2', 'w4', 'w5', 'w6', 'w7', 'w8', 'w9', 'w10', 'w11'])
    await shop.end(name)
  t.strictSame((await Promise.all(shop.results)).at(-1), 'w11')
})

t.test('background work takes half of the room, and waits behind the rest', async (t) => {
  const shop = workshop()
  for (let n = 0; n < 6; n += 1) shop.begin(`b${n}`, true)
  await shop.settle()
  t.strictSame(shop.running, ['b0', 'b1', 'b2', 'b3'])
  for (let n = 0; n < 5; n += 1) shop.begin(`u${n}`)
  await shop.settle()
  t.strictSame(shop.running.slice(4), ['u0', 'u1', 'u2', 'u3'])
  await shop.end('b0')
  t.equal(shop.running.at(-1), 'u4', 'who is waited for goes first')
  await shop.end('u0')
  t.equal(shop.running.at(-1), 'b4')
})

t.test('who leaves while waiting is never run, and gives no room away', async (t) => {
  const shop = workshop()
  for (let n = 0; n < 8; n += 1) shop.begin(`w${n}`)
  const leaving = new AbortController()
  const left = shop.begin('left', false, leaving.signal)
  shop.begin('next')
  leaving.abort(new Error('no time'))
  await t.rejects(left, /no time/)
  await shop.end('w0')
  t.equal(shop.running.at(-1), 'next')
  t.equal(shop.running.length, 8)
})

t.test(
  'who leaves while running gives the room to the next, though the work goes on',
  async (t) => {
    const shop = workshop()
    const leaving = new AbortController()
    const left = shop.begin('left', false, leaving.signal)
    for (let n = 0; n < 8; n += 1) shop.begin(`w${n}`)
    await shop.settle()
    t.notOk(shop.running.includes('w7'))
    leaving.abort(new Error('no time'))
    await t.rejects(left, /no time/)
    await shop.settle()
    t.ok(shop.running.includes('w7'))
  },
)

t.test('who came too late is not begun', async (t) => {
  const shop = workshop()
  await t.rejects(shop.begin('late', false, AbortSignal.abort(new Error('late'))), /late/)
  t.strictSame(shop.running, [])
})

t.test('work that fails gives its room back', async (t) => {
  const queue = createHostQueue()
  for (let n = 0; n < 20; n += 1) {
    const broken = queue.run('h', n % 2 === 0, PATIENT, () => Promise.reject(new Error('broken')))
    await t.rejects(broken, /broken/)
    const thrown = queue.run('h', n % 2 === 0, PATIENT, () => {
      throw new Error('thrown')
    })
    await t.rejects(thrown, /thrown/)
  }
  t.equal(await queue.run('h', true, PATIENT, async () => 'well'), 'well')
})

t.test(
  'it is full when 256 wait that somebody waits for, and no longer when one goes',
  async (t) => {
    const shop = workshop()
    shop.begin('patient', true)
    for (let n = 0; n < 7 + 256; n += 1) {
      t.equal(shop.queue.isFull('h'), false)
      shop.begin(`w${n}`)
    }
    t.equal(shop.queue.isFull('h'), true)
    t.equal(shop.queue.isFull('other'), false)
    for (const name of ['patient', 'w0']) await shop.end(name)
    t.equal(shop.queue.isFull('h'), false)
  },
)

t.test('background work waits behind all that wait, however many', async (t) => {
  const shop = workshop()
  for (let n = 0; n < 8 + 256; n += 1) shop.begin(`w${n}`)
  shop.begin('patient', true)
  for (let n = 0; n < 8 + 256; n += 1) await shop.end(`w${n}`)
  t.strictSame(shop.running.at(-1), 'patient')
})

t.test('one host does not wait for another', async (t) => {
  const shop = workshop()
  for (let n = 0; n < 9; n += 1) shop.begin(`w${n}`)
  shop.begin('other', false, PATIENT, '__proto__')
  await shop.settle()
  t.ok(shop.running.includes('other'))
  t.notOk(shop.running.includes('w8'))
})
