import assert from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { eachOf, finish, sorted } from '../../src/pieces/index.ts'

t.test('what is sorted in pieces stands as what is sorted whole, equal items too', (t) => {
  const items = fc.array(fc.tuple(fc.nat(20), fc.nat()), { minLength: 100, maxLength: 1_500 })
  fc.assert(
    fc.property(items, (items) => {
      const byFirst = ([a]: [number, number], [b]: [number, number]) => a - b
      assert.deepStrictEqual(finish(sorted([...items], byFirst)), items.toSorted(byFirst))
    }),
    { numRuns: 100 },
  )
  for (const length of [0, 1, 127, 128, 129, 255, 256, 257, 5_000]) {
    const list = Array.from({ length }, (_, i) => (i * 7919) % 5_003)
    const whole = list.toSorted((a, b) => a - b)
    t.strictSame(finish(sorted(list, (a, b) => a - b)), whole, `${length} items`)
  }
  t.end()
})

t.test('long work can be laid down often', (t) => {
  const pauses = <T>(work: Generator<void, T, void>) => {
    let count = 0
    while (!work.next().done) count += 1
    return count
  }
  const list = Array.from({ length: 10_000 }, (_, i) => -i)
  t.ok(pauses(sorted([...list], (a, b) => a - b)) > 300, 'sorting')
  t.equal(pauses(eachOf(list, 16, () => {})), 625, 'going through a list')
  t.end()
})
