import fc from 'fast-check'
import t from 'tap'
import { nextTurn } from '../../src/promotion/pace.ts'

t.test('the next turn comes when the pace allows it', (t) => {
  const rows: [last: number | undefined, perMinute: number, now: number, turn: number][] = [
    [undefined, 10, 5_000, 5_000],
    [5_000, 10, 5_000, 11_000],
    [5_000, 10, 8_000, 11_000],
    [5_000, 10, 60_000, 60_000],
    [5_000, 0, 5_000, 5_000],
    [5_000, 1, 5_001, 65_000],
    [0, 7, 0, 8_572],
    [0, 10_000, 0, 6],
    [Number.NEGATIVE_INFINITY, 1, 0, 0],
  ]
  for (const [last, perMinute, now, turn] of rows) {
    t.equal(nextTurn(last, perMinute, now), turn, JSON.stringify([last, perMinute, now]))
  }
  t.end()
})

t.test('no 60 seconds hold more than the pace, whenever turns are asked for', (t) => {
  const delays = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), delays, (perMinute, late) => {
      const turns: number[] = []
      for (const delay of late) {
        const last = turns.at(-1)
        turns.push(nextTurn(last, perMinute, (last ?? 0) + delay))
      }
      return turns.every(
        (start) =>
          turns.filter((each) => each >= start && each < start + 60_000).length <= perMinute,
      )
    }),
  )
  t.end()
})
