import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { inSlices, soon } from '../../src/scheduling/index.ts'

function* counting(steps: number): Generator<void, number, void> {
  for (let step = 0; step < steps; step += 1) yield
  return steps
}

/** Goes on until it is told to end. */
function endless() {
  const told = { ended: false, steps: 0 }
  function* run(): Generator<void, string, void> {
    while (!told.ended) {
      told.steps += 1
      yield
    }
    return 'ended'
  }
  return { told, work: run() }
}

t.test('work that is done at its first step waits for nothing', async (t) => {
  let turns = 0
  void setImmediate().then(() => {
    turns += 1
  })
  t.equal(await inSlices('shop', counting(0)), 0)
  const told: number[] = []
  soon('shop', counting(0), (result) => told.push(result))
  t.strictSame([told, turns], [[0], 0])
})

t.test('however long work goes on, others run between its steps', async (t) => {
  const { told, work } = endless()
  const result = inSlices('shop', work)
  for (let turn = 0; turn < 5; turn += 1) await setImmediate()
  const before = told.steps
  await setImmediate()
  await setImmediate()
  t.ok(told.steps > before, 'it goes on')
  told.ended = true
  t.equal(await result, 'ended')
})

t.test('work of one namespace does not hold up that of another', async (t) => {
  const [long, longer] = [endless(), endless()]
  const first = inSlices('hostile', long.work)
  const beside = await inSlices('hostile', counting(1_000))
  t.equal(beside, 1_000, 'nor do two of one namespace hold up each other')
  const second = inSlices('hostile', longer.work)
  const behind = inSlices('hostile', counting(3))
  t.equal(await inSlices('shop', counting(1_000)), 1_000)
  t.equal(await inSlices('other', counting(1_000)), 1_000)
  const over = await Promise.race([behind, setImmediate('not yet')])
  t.equal(over, 'not yet', 'a third one waits')
  t.ok(long.told.steps > 0 && longer.told.steps > 0)
  long.told.ended = true
  t.strictSame(await Promise.all([first, behind]), ['ended', 3])
  longer.told.ended = true
  t.equal(await second, 'ended')
})

t.test('work that is given up is not gone on with', async (t) => {
  const { told, work } = endless()
  const giveUp = new AbortController()
  const beside = endless()
  const other = inSlices('shop', beside.work)
  const result = inSlices('shop', work, giveUp.signal)
  const next = inSlices('shop', counting(3))
  await setImmediate()
  giveUp.abort(new Error('no more time'))
  await t.rejects(result, { message: 'no more time' })
  const { steps } = told
  t.equal(await next, 3, 'the next one has its turn')
  t.equal(told.steps, steps)
  beside.told.ended = true
  t.equal(await other, 'ended')
  await t.rejects(inSlices('shop', counting(3), giveUp.signal), { message: 'no more time' })
})

t.test('what work throws reaches who waits for it, and nobody else', async (t) => {
  function* failing(steps: number): Generator<void, void, void> {
    yield* counting(steps)
    throw new TypeError('wrong')
  }
  await t.rejects(inSlices('shop', failing(0)), TypeError)
  const failure = inSlices('shop', failing(10))
  const other = inSlices('shop', counting(10))
  await t.rejects(failure, TypeError)
  t.equal(await other, 10)
})
