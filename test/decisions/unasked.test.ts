import t from 'tap'
import {
  type Decision,
  decide,
  type FactFailure,
  plainQuestion,
  type Question,
  type RepositorySnapshot,
} from '../../src/decisions/index.ts'
import { parseReference } from '../../src/images/index.ts'
import { DEFAULTS, DOWN, digest, facts, policy, snapshot } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'
const TAGS = {
  'v1.3.0': { digest: digest('0') },
  'v1.4.1': { digest: digest('1') },
  'v1.4.2': { digest: digest('2') },
}
const INDEX = snapshot(NAME, TAGS)
const follow = { order: { digest: { follow: 'stable' } } } as const
const promotion = { windows: [], maxPerMinute: 0, canary: 0 }

function decided(
  image: string,
  rule: Parameters<typeof policy>[0],
  question: Partial<Question> = {},
  snapshots: readonly RepositorySnapshot[] = [INDEX],
  failures: Record<string, FactFailure> = {},
): Decision {
  const asked = plainQuestion(parseReference(NAME + image), [policy(rule)], DEFAULTS)
  return decide({ ...asked, ...question }, facts(snapshots, failures))
}

/** What runs, and what it had been asked for. */
function ran(image: string, requested = ':v1.3.0'): Question['previous'] {
  const record = { requested: NAME + requested, rolledBackFrom: undefined }
  return { image: parseReference(NAME + image), record }
}

const reasons = ({ findings }: Decision) => findings.map(({ reason }) => reason)

t.test('any one limit on promotion keeps an apply from moving what runs', (t) => {
  const rows: [string, Partial<typeof promotion>, string][] = [
    ['none', {}, 'v1.4.2'],
    ['windows', { windows: [{}] as never }, 'v1.4.1'],
    ['maxPerMinute', { maxPerMinute: 1 }, 'v1.4.1'],
    ['canary', { canary: 1 }, 'v1.4.1'],
  ]
  for (const [title, limit, tag] of rows) {
    const paced = { promote: 'Continuously', promotion: { ...promotion, ...limit } } as const
    const previous = ran(`:v1.4.1@${digest('1')}`)
    const decision = decided(':v1.3.0', { action: 'Track', ...paced }, { previous, promoted: true })
    t.equal(decision.change?.tag, tag, title)
  }
  t.end()
})

t.test('the same request for a tag that is followed', (t) => {
  const index = snapshot(NAME, { stable: { digest: digest('2') } })
  const unknown = snapshot(NAME, { stable: {} })
  const old = ran(`:stable@${digest('1')}`, ':stable')
  const again = (more: object, question: Partial<Question> = {}, facts = index) => {
    const rule = { action: 'Track', rule: follow, ...more } as const
    return decided(':stable', rule, { previous: old, ...question }, [facts]).change?.to
  }
  t.equal(again({}), `${NAME}:stable@${digest('2')}`, 'gets what it has now')
  t.equal(again({}, {}, unknown), `${NAME}:stable@${digest('1')}`, 'keeps what it had meanwhile')
  const current = { previous: ran(`:stable@${digest('2')}`, ':stable') }
  t.equal(again({}, current), `${NAME}:stable@${digest('2')}`)
  const paced = { promote: 'Continuously', promotion: { ...promotion, canary: 1 } }
  for (const allowDowngrade of [false, true]) {
    t.equal(
      again({ ...paced, allowDowngrade }, { promoted: true }),
      `${NAME}:stable@${digest('1')}`,
      'keeps it where the promoter moves it at its own pace',
    )
  }
  t.end()
})

t.test('the tag that runs, pushed again, is not rolled out by the same request', (t) => {
  const previous = ran(`:v1.4.2@${digest('7')}`)
  for (const allowDowngrade of [false, true]) {
    const decision = decided(':v1.3.0', { action: 'Track', allowDowngrade }, { previous })
    t.equal(decision.change?.to, `${NAME}:v1.4.2@${digest('7')}`)
  }
  t.end()
})

t.test('a newer version whose digest cannot be had refuses nothing: what runs is kept', (t) => {
  const index = snapshot(NAME, { ...TAGS, 'v1.4.2': {} })
  const down = { [`${NAME}:v1.4.2`]: DOWN }
  const previous = ran(`:v1.4.1@${digest('1')}`)
  const decision = decided(':v1.3.0', { action: 'Track' }, { previous }, [index], down)
  t.equal(decision.change?.to, `${NAME}:v1.4.1@${digest('1')}`)
  t.strictSame(reasons(decision), [])
  t.end()
})

t.test('a new request whose digest cannot be had is refused, or let through as it is', (t) => {
  const index = snapshot(NAME, { 'v1.4.2': {} })
  const down = { [`${NAME}:v1.4.2`]: DOWN }
  for (const action of ['Pin', 'Track'] as const) {
    const asked = decided(':v1.4.2', { action }, {}, [index])
    t.match(asked, { change: undefined, findings: [], needs: [{ tag: 'v1.4.2' }] })
    const refused = decided(':v1.4.2', { action }, {}, [index], down)
    t.match(refused.findings, [{ reason: 'RegistryUnavailable', enforcement: 'Enforce' }])
    const lenient = { action, whenRegistryFails: 'Allow' } as const
    const allowed = decided(':v1.4.2', lenient, {}, [index], down)
    t.match(allowed.findings, [{ reason: 'RegistryUnavailable', enforcement: 'Warn' }])
    t.strictSame([refused.change, allowed.change], [undefined, undefined])
  }
  t.end()
})

t.test('Track waits for a list of tags, also where a tag or two are known by themselves', (t) => {
  const alone = snapshot(NAME, {}, { scannedAt: 0, unlisted: { 'v1.3.0': TAGS['v1.3.0'] } })
  for (const snapshots of [[], [alone]]) {
    const decision = decided(':v1.3.0', { action: 'Track' }, {}, snapshots)
    t.match(decision.needs, [{ fact: 'repository' }])
    t.strictSame(decision.findings, [])
    t.equal(decision.change, undefined)
  }
  t.end()
})

t.test('what ran from another repository, or under another policy, holds nothing up', (t) => {
  const other = {
    image: parseReference(`ghcr.io/old/web:v1.9.0@${digest('9')}`),
    record: undefined,
  }
  const moved = decided(':v1.3.0', { action: 'Track' }, { previous: other })
  t.equal(moved.change?.to, `${NAME}:v1.4.2@${digest('2')}`)
  t.strictSame(reasons(moved), [])
  const previous = ran(`:v1.4.2@${digest('2')}`, ':v1.4.2')
  const pinned = decided(':v1.3.0', { action: 'Pin' }, { previous })
  t.equal(pinned.change?.to, `${NAME}:v1.3.0@${digest('0')}`, 'Pin goes where it is told')
  t.strictSame(reasons(pinned), [])
  t.end()
})

t.test('a held workload goes back to the version that is named, and not by latest', (t) => {
  const previous = ran(`:v1.9.0@${digest('9')}`, ':v1.9.0')
  const rule = { action: 'Track', latest: 'Resolve' } as const
  const named = decided(':v1.3.0', rule, { previous, hold: true })
  t.equal(named.change?.to, `${NAME}:v1.3.0@${digest('0')}`)
  const latest = decided(':latest', rule, { previous, hold: true })
  t.equal(latest.change?.to, `${NAME}:v1.9.0@${digest('9')}`)
  t.strictSame(reasons(latest), ['Downgrade'])
  t.end()
})

t.test('what is kept still says which version and build it is', (t) => {
  const pattern = '^v(?P<version>[0-9.]+)-(?P<build>[0-9]+)$'
  const rule = { action: 'Pin', rule: { pattern, extract: '$version' } } as const
  const index = snapshot(NAME, { 'v1.3.0-7': { digest: digest('0') } })
  const previous = ran(`:v1.3.0-7@${digest('0')}`, ':v1.3.0-7')
  const { change } = decided(':v1.3.0-7', rule, { previous }, [index])
  t.match(change, { version: '1.3.0', build: '7', kept: true })
  t.end()
})
