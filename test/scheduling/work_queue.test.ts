import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { createWorkQueue } from '../../src/scheduling/index.ts'

t.test('a clock that is set back holds up no work', async (t) => {
  let now = 1_800_000_000_000
  const done: string[] = []
  const waits: number[] = []
  const queue = createWorkQueue({
    work: async (key) => done.push(key) > 0,
    perSecond: 1,
    clock: () => now,
    timer: (run, ms) => {
      waits.push(ms)
      const handle = setImmediate(() => {
        now += ms
        run()
      })
      return () => clearImmediate(handle)
    },
  })
  const settle = async () => {
    for (let round = 0; round < 50; round += 1) await turn()
  }
  for (const key of ['a', 'b', 'c']) queue.add(key)
  await settle()
  t.strictSame(done, ['a', 'b', 'c'])
  now -= 6 * 3_600_000
  for (const key of ['d', 'e', 'f']) queue.add(key)
  await settle()
  t.strictSame(done, ['a', 'b', 'c', 'd', 'e', 'f'])
  t.ok(Math.max(...waits) < 10_000, String(waits))
  await queue.close()
})
