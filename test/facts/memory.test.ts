import t, { type Test } from 'tap'
import { decide, plainQuestion, type Question } from '../../src/decisions/index.ts'
import { settle } from '../../src/facts/index.ts'
import { parseReference } from '../../src/images/index.ts'
import { DEFAULTS, digest, facts, HOUR, NOW, policy, snapshot, source } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'
const track = policy({ action: 'Track', latest: 'Resolve' })
const tagged = policy({ action: 'Track', reference: 'Tag' })
const guard = (range: string) =>
  policy({ kind: 'ClusterImagePolicy', name: 'guard', rule: { order: { semver: { range } } } })

function index() {
  return snapshot(
    NAME,
    {
      'v1.3.0': { digest: digest('0') },
      'v1.4.1': { digest: digest('1') },
      'v1.4.2': { digest: digest('2') },
    },
    { scannedAt: NOW - 10_000 },
  )
}

/** What is asked first changes nothing of what is answered next. */
async function sameAsAlone(t: Test, image: string, variants: Partial<Question>[]) {
  const questions = variants.map((each) => ({
    ...plainQuestion(parseReference(NAME + image), [track], DEFAULTS),
    ...each,
  }))
  for (const [i, first] of questions.entries()) {
    for (const [j, second] of questions.entries()) {
      const known = index()
      const ask = async (question: Question) => {
        const how = { source: source([known]), deadline: NOW + HOUR, clock: () => NOW }
        return (await settle([question], how))[0]
      }
      await ask(first)
      const { findings, change } = decide(second, facts([known]))
      const answer = await ask(second)
      t.strictSame([answer?.findings, answer?.change], [findings, change], `${i} then ${j}`)
    }
  }
}

t.test(
  'what was decided for one workload is not said of another that asks otherwise',
  async (t) => {
    const record = { requested: `${NAME}:v1.3.0`, rolledBackFrom: undefined }
    const image = parseReference(`${NAME}:v1.4.1@${digest('1')}`)
    await sameAsAlone(t, ':v1.3.0', [
      {},
      { mode: 'judge' },
      { mode: 'check' },
      { unchanged: true },
      { hold: true },
      { immutable: true },
      { previous: { image, record } },
      { previous: { image, record }, hold: true },
      { policies: [policy()] },
      { policies: [tagged], restored: true },
      { policies: [tagged] },
      { policies: [track, guard('<1.4.2')] },
      { policies: [track, guard('<1.4.1')] },
      { policies: [guard('<1.4.2'), track] },
      { policies: [] },
    ])
  },
)

t.test('nor is a denial weakened, or not, because another one was', async (t) => {
  const owned: Partial<Question> = { mode: 'judge', ownerReviewed: true }
  const defaults = { ...DEFAULTS, ownedObjects: 'Warn' } as const
  const owners = [{ group: 'apps', kind: 'ReplicaSet', name: 'web' }]
  const picky = policy({ judged: (given) => given.length > 0 })
  await sameAsAlone(t, ':v2.0.0', [
    { mode: 'judge' },
    { mode: 'judge', defaults },
    { ...owned, owners },
    { ...owned, owners, defaults },
    { ...owned, defaults, policies: [picky] },
    { ...owned, defaults, policies: [picky], owners },
    { ...owned, ownerReviewed: false, defaults, policies: [picky], owners },
    { mode: 'judge', policies: [] },
    { mode: 'judge', policies: [], defaults: { ...DEFAULTS, unmatched: 'Deny' } },
  ])
})

t.test(
  'an answer says how old the facts are, to the second, also by a clock set back',
  async (t) => {
    const known = index()
    const question = plainQuestion(parseReference(`${NAME}:v2.0.0`), [track], DEFAULTS)
    let now = NOW
    const said = async () => {
      const how = { source: source([known]), deadline: now + HOUR, clock: () => now }
      const [decision] = await settle([question], how)
      return /seen \w+ ago/.exec(decision?.findings[0]?.message ?? '')?.[0]
    }
    for (const [time, expected] of [
      [0, 'seen 10s ago'],
      [1_000, 'seen 11s ago'],
      [-1_000, 'seen 9s ago'],
      [3_000, 'seen 13s ago'],
      [2_000, 'seen 12s ago'],
    ] as const) {
      now = NOW + time
      t.equal(await said(), expected)
    }
  },
)
