import t from 'tap'
import { createWriteQueue } from '../../src/catalog/write_queue.ts'

/** A writer that notes when each write begins and ends, and takes a turn of the event loop. */
function noted() {
  const log: string[] = []
  const queue = createWriteQueue(async (name) => {
    log.push(`+${name}`)
    await new Promise((resolve) => setImmediate(resolve))
    log.push(`-${name}`)
  })
  return { log, queue }
}

t.test('a name that is added many times is written once', async (t) => {
  const { log, queue } = noted()
  for (let n = 0; n < 10; n += 1) queue.add('a', 60_000)
  queue.add('b', 60_000)
  await queue.flush()
  t.strictSame(log, ['+a', '-a', '+b', '-b'])
  await queue.flush()
  t.equal(log.length, 4)
})

t.test('no two writes run at once, also when flushed and added in between', async (t) => {
  const { log, queue } = noted()
  queue.add('a', 60_000)
  const first = queue.flush()
  queue.add('a', 0)
  queue.add('b', 0)
  await Promise.all([first, queue.flush(), queue.close()])
  t.strictSame(log, ['+a', '-a', '+a', '-a', '+b', '-b'])
})

t.test('an earlier time wins over a later one, whichever comes first', async (t) => {
  for (const delays of [
    [60_000, 0],
    [0, 60_000],
  ]) {
    const { promise, resolve } = Promise.withResolvers<string>()
    const queue = createWriteQueue(async (name) => resolve(name))
    for (const delay of delays) queue.add('a', delay)
    const alive = setInterval(() => {}, 1_000)
    t.equal(await promise, 'a')
    clearInterval(alive)
    await queue.close()
  }
})

t.test('what is due later waits when something else is written', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const log: string[] = []
  const queue = createWriteQueue(async (name) => {
    log.push(name)
    resolve()
  })
  queue.add('later', 60_000)
  queue.add('now', 0)
  const alive = setInterval(() => {}, 1_000)
  await promise
  clearInterval(alive)
  t.strictSame(log, ['now'])
  await queue.close()
  t.strictSame(log, ['now', 'later'])
})

t.test('nothing is taken after closing', async (t) => {
  const { log, queue } = noted()
  await queue.close()
  queue.add('a', 0)
  await queue.flush()
  t.strictSame(log, [])
})
