import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { ranking, rankingOf } from '../../src/decisions/index.ts'
import { compileRule } from '../../src/tags/index.ts'
import { NOW } from '../fakes/facts.ts'

const selector = compileRule({ allow: [], ignore: [], order: { semver: { range: '*' } } })

function repositories(count: number, tags: number) {
  const catalog = createCatalog()
  return Array.from({ length: count }, (_, n) => {
    const list = Array.from({ length: tags }, (_each, tag) => `${n}.0.${tag}`).sort()
    return catalog.recordTags(`ghcr.io/acme/r${n}`, list, NOW)
  })
}

t.test('rankings of very many repositories do not fill the memory', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const all = repositories(300, 1_000)
  const [used, ...others] = all
  const rankings = []
  for (const snapshot of others) {
    rankings.push(new WeakRef(rankingOf(selector, snapshot)))
    rankingOf(selector, used!)
  }
  const inUse = new WeakRef(rankingOf(selector, used!))
  // what a WeakRef gave is held until the turn ends
  await setImmediate()
  collect()
  const left = rankings.filter((each) => each.deref() !== undefined).length
  t.ok(left < 200, `${left} of 299 are remembered`)
  t.ok(rankings.at(-1)?.deref(), 'the last one is')
  t.ok(inUse.deref(), 'so is what is used again and again')
  await setImmediate()
  const again = rankingOf(selector, others[0]!)
  t.equal(again.permitted[0]?.tag, '1.0.999', 'what is made anew says the same')
})

t.test('the largest rankings are remembered too, and let go with their lists', (t) => {
  const large = repositories(4, 60_000)
  const rankings = large.map((snapshot) => rankingOf(selector, snapshot))
  t.strictSame(
    large.map((snapshot, index) => rankingOf(selector, snapshot) === rankings[index]),
    [true, true, true, true],
  )
  t.end()
})

t.test('who asks while a ranking is made goes on with it', (t) => {
  const [alone, shared] = repositories(2, 20_000)
  const countSteps = (work: Generator<void, unknown, void>) => {
    let steps = 0
    while (!work.next().done) steps += 1
    return steps
  }
  const whole = countSteps(ranking(selector, alone!))
  t.ok(whole > 1_000, `it can be laid down ${whole} times`)
  const works = [ranking(selector, shared!), ranking(selector, shared!)]
  let steps = 0
  for (;;) {
    const results = works.map((work) => work.next())
    if (results.every(({ done }) => done)) {
      const [one, other] = results
      t.equal(one?.value, other?.value, 'both get the same')
      break
    }
    if (results.some(({ done }) => done)) break
    steps += 2
  }
  t.ok(Math.abs(steps - whole) <= 4, `${steps} steps for both`)
  t.equal(rankingOf(selector, shared!).permitted[0]?.tag, '1.0.19999')
  t.end()
})

t.test('a ranking that somebody left half made is the same when it is made', (t) => {
  const [snapshot] = repositories(1, 5_000)
  const left = ranking(selector, snapshot!)
  for (let step = 0; step < 100; step += 1) left.next()
  t.strictSame(
    rankingOf(selector, snapshot!).permitted,
    selector.rank(snapshot!.tags.toReversed()).permitted,
  )
  t.end()
})
