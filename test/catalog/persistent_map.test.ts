import fc from 'fast-check'
import t from 'tap'
import { PersistentMap } from '../../src/catalog/persistent_map.ts'
import { hashText } from '../../src/pieces/index.ts'

const HOSTILE = ['', '__proto__', 'constructor', 'a'.repeat(300), '\0', '🦊', '\ud800', 'v1.0.0']

type Step = { set: string; value: number } | { delete: string }

const key = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.integer({ max: 60, min: 0 }).map((n) => `v${n}`),
)
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ set: key, value: fc.nat() }),
    fc.record({ delete: key }),
  ),
  { maxLength: 200 },
)

function content(map: PersistentMap<number>): Map<string, number> {
  return new Map([...map.entries()].toSorted())
}

t.test('behaves as a Map does, and no step changes an earlier map', async (t) => {
  fc.assert(
    fc.property(steps, (list) => {
      const model = new Map<string, number>()
      let map = new PersistentMap<number>()
      const past: [PersistentMap<number>, Map<string, number>][] = []
      for (const step of list) {
        if ('set' in step) model.set(step.set, step.value)
        else model.delete(step.delete)
        map = 'set' in step ? map.set(step.set, step.value) : map.delete(step.delete)
        past.push([map, new Map([...model].toSorted())])
      }
      return past.every(
        ([then, expected]) =>
          then.size === expected.size &&
          JSON.stringify([...content(then)]) === JSON.stringify([...expected]) &&
          [...HOSTILE, 'v1', 'v60'].every((text) => then.get(text) === expected.get(text)),
      )
    }),
  )
  t.pass('for every sequence')
})

t.test('a hundred thousand entries are all found, and the map knows how many', async (t) => {
  const entries = Array.from({ length: 100_000 }, (_, n) => [`tag-${n}`, n] as const)
  const map = new PersistentMap(entries)
  t.equal(map.size, entries.length)
  t.ok(entries.every(([key, value]) => map.get(key) === value))
  t.equal(map.get('tag-100000'), undefined)
  t.equal([...map.entries()].length, entries.length)
})

t.test('keys made to have the same hash are kept apart', async (t) => {
  // Each pair has the same hash after any choice from the pairs before it.
  const pairs = [
    ['1xgcqqj1jf', '1o3s7tc2ky8'],
    ['1b35tjod1w', '1uh3h9o24to'],
    ['1d19dg62o1i', 'p8rq3z3g67'],
    ['1bkrhf9qyt', '1oa2bjw1c58'],
  ]
  const keys = pairs.reduce(
    (list, pair) => list.flatMap((key) => pair.map((end) => key + end)),
    [''],
  )
  t.equal(keys.length, 16)
  t.equal(new Set(keys.map((key) => hashText(key, 0))).size, 1)
  const noise = Array.from({ length: 5_000 }, (_, n) => [`noise${n}`, -1] as const)
  let map = new PersistentMap([...noise, ...keys.map((key, at) => [key, at] as const)])
  for (const [at, key] of keys.entries()) {
    t.equal(map.get(key), at)
    map = map.delete(key)
    t.equal(map.get(key), undefined)
  }
  t.equal(map.size, noise.length)
})

t.test('deleting what is not there gives the same map', async (t) => {
  const map = new PersistentMap([['a', 1]])
  t.equal(map.delete('b'), map)
})
