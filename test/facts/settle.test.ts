import t from 'tap'
import { decide, plainQuestion } from '../../src/decisions/index.ts'
import { settle } from '../../src/facts/index.ts'
import { parseReference } from '../../src/images/index.ts'
import type { CompiledException } from '../../src/policies/types.ts'
import { DEFAULTS, digest, type FakeTag, policy, snapshot, source } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'

function ask(image: string, action: 'Verify' | 'Track' = 'Track') {
  return plainQuestion(parseReference(image), [policy({ action })], DEFAULTS)
}

t.test('facts that are there are not asked for', async (t) => {
  const facts = source([snapshot(NAME, { 'v1.4.2': { digest: digest('2') } })])
  const [decision] = await settle([ask(`${NAME}:v1.4.2`)], {
    source: facts,
    deadline: Date.now() + 60_000,
  })
  t.equal(decision?.change?.to, `${NAME}:v1.4.2@${digest('2')}`)
  t.strictSame(facts.asked, [])
})

t.test('what is lacking is gathered step by step, once for all questions', async (t) => {
  const facts = source([], async (need) => {
    const tags = { 'v1.3.0': {}, 'v1.4.2': need.fact === 'manifest' ? { digest: digest('2') } : {} }
    facts.snapshots.set(NAME, snapshot(NAME, tags))
    return undefined
  })
  const questions = [ask(`${NAME}:v1.3.0`), ask(`${NAME}:v1.4.2`), ask(`${NAME}:v1.3.0`)]
  const decisions = await settle(questions, { source: facts, deadline: Date.now() + 60_000 })
  t.strictSame(facts.asked, [NAME, `${NAME}:v1.4.2`])
  for (const decision of decisions) {
    t.equal(decision.change?.to, `${NAME}:v1.4.2@${digest('2')}`)
    t.strictSame(decision.needs, [])
  }
})

t.test('a failure is the answer to its need, and is not asked again', async (t) => {
  const facts = source([])
  const [decision] = await settle([ask(`${NAME}:v1.4.2`)], {
    source: facts,
    deadline: Date.now() + 60_000,
  })
  t.match(decision?.findings, [{ reason: 'RegistryUnavailable', cause: { message: /refused/ } }])
  t.strictSame(facts.asked, [NAME])
})

t.test('when the time is over, what is lacking timed out', async (t) => {
  const facts = source(
    [],
    (_need, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () =>
          resolve({ code: 'ERR_REGISTRY_UNREACHABLE', message: 'aborted', at: 0 }),
        )
      }),
  )
  const [decision] = await settle([ask(`${NAME}:v1.4.2`)], {
    source: facts,
    deadline: Date.now() + 50,
  })
  t.match(decision?.findings, [
    { reason: 'Timeout', cause: { message: 'ghcr.io did not answer in time' } },
  ])
  const late = await settle([ask(`${NAME}:v1.4.2`)], { source: facts, deadline: Date.now() - 1 })
  t.match(late[0]?.findings, [{ reason: 'Timeout' }], 'also when it was over from the start')
})

t.test('a certain answer waits only a moment for better words', async (t) => {
  const aborted: number[] = []
  const facts = source(
    [],
    (_need, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted.push(1)
          resolve({ code: 'ERR_REGISTRY_TIMEOUT', message: 'x', at: 0 })
        })
      }),
  )
  const [decision] = await settle([ask(`${NAME}:latest`)], {
    source: facts,
    deadline: Date.now() + 60_000,
  })
  t.match(decision?.findings, [{ reason: 'LatestTag', message: /the newest is not known yet/ }])
  t.equal(aborted.length, 1, 'it did not wait for its whole minute')
})

t.test('a source that never brings what it promised does not hang the answer', async (t) => {
  const facts = source([], async () => undefined)
  const [decision] = await settle([ask(`${NAME}:v1.4.2`)], {
    source: facts,
    deadline: Date.now() + 60_000,
  })
  t.match(decision?.findings, [{ reason: 'Timeout' }])
  t.ok(facts.asked.length < 5, 'and is not asked again and again')
})

t.test('a version is found below many that lack a platform, within one review', async (t) => {
  const newer = Array.from({ length: 60 }, (_, index) => `v1.4.${index}`)
  const tags: Record<string, FakeTag> = Object.fromEntries(newer.map((tag) => [tag, {}]))
  tags['v1.3.0'] = { digest: digest('3'), platforms: ['linux/arm64'] }
  const facts = source([snapshot(NAME, tags)], async (need) => {
    if (need.fact !== 'manifest') throw new Error('the list is known')
    tags[need.tag] = { digest: digest('4'), platforms: ['linux/amd64'] }
    facts.snapshots.set(NAME, snapshot(NAME, tags))
    return undefined
  })
  const policies = [policy({ action: 'Track', platforms: ['linux/arm64'] })]
  const question = { ...ask(`${NAME}:v1.3.0`), policies }
  const [decision] = await settle([question], { source: facts, deadline: Date.now() + 60_000 })
  t.equal(decision?.change?.to, `${NAME}:v1.3.0@${digest('3')}`)
  t.equal(facts.asked.length, 60, 'each once')
})

t.test('a decision is given again only while the same exceptions count', async (t) => {
  const facts = source([snapshot(NAME, { 'v0.9.1': {}, 'v1.4.2': {} })])
  const exception = (expires: number): CompiledException => ({
    namespace: 'shop',
    name: 'x',
    title: 'ImagePolicyException shop/x',
    position: undefined,
    policies: [],
    images: [NAME],
    reason: 'OPS-123',
    expires,
    kinds: [],
    narrowed: false,
    covers: () => 'repository',
    lifts: () => true,
  })
  const plain = { ...ask(`${NAME}:v0.9.1`, 'Verify') }
  const at = async (now: number, exceptions: readonly CompiledException[]) => {
    const [decision] = await settle([{ ...plain, exceptions }], {
      source: facts,
      deadline: now + 1000,
      clock: () => now,
    })
    return decision
  }
  const now = 1_800_000_000_000
  const [short, long] = [exception(now + 10), exception(now + 100_000)]
  const first = await at(now, [short])
  t.match(first?.findings, [{ enforcement: 'Warn' }])
  t.equal(await at(now + 9, [short]), first, 'remembered')
  t.match((await at(now + 10, [short]))?.findings, [{ enforcement: 'Enforce' }], 'expired')
  t.match((await at(now + 9, []))?.findings, [{ enforcement: 'Enforce' }], 'deleted')
  t.match((await at(now + 11, [long]))?.findings, [{ enforcement: 'Warn' }], 'another one')
  t.match((await at(now + 12, [short, long]))?.findings, [{ enforcement: 'Warn' }])
})

/** Very many tags, and a rule that takes long for each. */
function manyTags(count: number) {
  const tags = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`v1.${i % 7}.${i}`, {}] as const),
  )
  return snapshot(NAME, { ...tags, 'v1.99.0': { digest: digest('9') } })
}

/** Nothing of this is a native pattern, so each search takes microseconds. */
const SLOW = { pattern: '(?P<version>[0-9]+\\.[0-9]+\\.[0-9]+).*', extract: '$version' }

t.test('while very many tags are ranked, others have their turn', async (t) => {
  const slow = policy({ action: 'Track', rule: SLOW })
  const question = plainQuestion(parseReference(`${NAME}:v1.4.7`), [slow], DEFAULTS)
  let between = 0
  const beat = setInterval(() => {
    between += 1
  }, 1)
  t.teardown(() => clearInterval(beat))
  const facts = source([manyTags(30_000)])
  const [decision] = await settle([question], {
    source: facts,
    deadline: Date.now() + 60_000,
    lane: 'shop',
  })
  t.ok(between > 2, `${between} timers ran`)
  const { needs: _, ...alone } = decide(question, {
    snapshot: (name) => facts.snapshot(name),
    failure: () => undefined,
    now: Date.now(),
  })
  t.match(decision, { change: alone.change, findings: [] }, 'the answer is that of decide()')
  t.equal(decision?.change?.to, `${NAME}:v1.99.0@${digest('9')}`)
})

t.test('what very many tags would tell times out, and nothing else does', async (t) => {
  const guards = Array.from({ length: 30 }, (_, i) =>
    policy({ name: `guard-${i}`, rule: { pattern: `(x|[0-9])*${i}y?z.*` } }),
  )
  const slow = policy({ action: 'Track', name: 'a', rule: SLOW })
  const other = 'ghcr.io/acme/api'
  const quick = policy({ action: 'Track', images: [other] })
  const questions = [
    plainQuestion(parseReference(`${NAME}:latest`), [slow, ...guards], DEFAULTS),
    plainQuestion(parseReference(`${other}:v1.4.2`), [quick], DEFAULTS),
    plainQuestion(
      parseReference(NAME),
      [{ ...slow, latest: 'Resolve' as const }, ...guards],
      DEFAULTS,
    ),
  ]
  const facts = source([manyTags(30_000), snapshot(other, { 'v1.4.2': { digest: digest('2') } })])
  const [denied, allowed, unresolved] = await settle(questions, {
    source: facts,
    deadline: Date.now() + 20,
  })
  t.match(denied?.findings[0], {
    reason: 'LatestTag',
    message: /there was no time to find the newest of 30001 tags/,
  })
  t.equal(allowed?.change?.to, `${other}:v1.4.2@${digest('2')}`)
  t.match(unresolved?.findings[0], {
    reason: 'Timeout',
    message: /needs the newest permitted tag, and the 30001 tags of .* in time\. Try again when/,
  })
})
