import t from 'tap'
import { createWeakCache } from '../../src/pieces/index.ts'

t.test('a key has one value for as long as somebody uses it', (t) => {
  const values = createWeakCache<{ readonly made: number }>()
  let made = 0
  const make = () => {
    made += 1
    return { made }
  }
  const first = values('a', make)
  t.equal(values('a', make), first)
  t.not(values('b', make), first)
  t.equal(made, 2)
  t.throws(() =>
    values('c', () => {
      throw new Error('cannot be made')
    }),
  )
  t.strictSame(values('c', make), { made: 3 }, 'what failed is tried again')
  t.end()
})

t.test('what is in use stays through the sweeps of what is not', (t) => {
  const values = createWeakCache<{ readonly key: string }>()
  const kept = values('kept', () => ({ key: 'kept' }))
  for (let index = 0; index < 5_000; index += 1) {
    const key = `passing ${index}`
    values(key, () => ({ key }))
  }
  t.equal(
    values('kept', () => ({ key: 'another' })),
    kept,
  )
  t.end()
})
