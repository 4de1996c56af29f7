import t from 'tap'
import { createRecurringCache } from '../../src/pieces/index.ts'

t.test('a text that comes again is remembered, one that comes once leaves nothing', (t) => {
  const cache = createRecurringCache<number>(100)
  cache.offer('web', 1)
  t.equal(cache.get('web'), undefined)
  cache.offer('web', 2)
  t.equal(cache.get('web'), 2)
  t.equal(cache.get('api'), undefined)
  cache.offer('', 3)
  cache.offer('', 4)
  t.equal(cache.get(''), 4)
  t.end()
})

t.test('texts that pass by keep no other from being remembered', (t) => {
  const cache = createRecurringCache<string>(100)
  const remembered = (round: number) => {
    for (let index = 0; index < 1_000; index += 1) cache.offer(`passing ${round}.${index}`, '')
    cache.offer('web', 'web')
    cache.offer('web', 'web')
    return cache.get('web')
  }
  t.equal(remembered(1), 'web')
  t.equal(remembered(2), 'web')
  t.end()
})

t.test('there are never more than it may hold', (t) => {
  const cache = createRecurringCache<number>(10)
  const texts = Array.from({ length: 1_000 }, (_, index) => `image ${index}`)
  for (const text of texts) {
    cache.offer(text, 1)
    cache.offer(text, 1)
    t.equal(cache.get(text), 1)
  }
  const held = texts.filter((text) => cache.get(text) !== undefined)
  t.ok(held.length <= 10 && held.length > 0, `${held.length}`)
  t.end()
})
