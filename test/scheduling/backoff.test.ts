import fc from 'fast-check'
import t from 'tap'
import { backoff } from '../../src/scheduling/index.ts'

t.test('waiting is twice as long after each failure, and never grows past its limit', async (t) => {
  const waits = [1, 2, 3, 4, 5, 6].map((failures) => backoff(failures, 5_000, 60_000))
  t.strictSame(waits, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000])
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), (failures) => {
      const wait = backoff(failures, 5_000, 60_000)
      return wait >= 5_000 && wait <= 60_000
    }),
  )
})
