import t from 'tap'
import {
  type Decision,
  decide,
  type FactFailure,
  plainQuestion,
} from '../../src/decisions/index.ts'
import { parseReference } from '../../src/images/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import {
  DEFAULTS,
  digest,
  type FakeTag,
  facts,
  HOUR,
  MINUTE,
  NOW,
  policy,
  snapshot,
} from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'
const AMD64 = ['linux/amd64']
const track = policy({ action: 'Track', platforms: AMD64 })

function decided(
  image: string,
  policies: CompiledPolicy[],
  tags: Record<string, FakeTag>,
  failures: Record<string, FactFailure> = {},
): Decision {
  const question = plainQuestion(parseReference(`${NAME}:${image}`), policies, DEFAULTS)
  return decide(question, facts([snapshot(NAME, tags)], failures))
}

/** A guard rail that has a say in every namespace. */
function guard(options: Parameters<typeof policy>[0] = {}): CompiledPolicy {
  return policy({ kind: 'ClusterImagePolicy', name: 'guard', ...options })
}

const asked = ({ needs }: Decision) => needs.map((need) => 'tag' in need && need.tag)
const good = (letter: string): FakeTag => ({ digest: digest(letter), platforms: AMD64 })

t.test('nothing moves to a version of which nobody knows yet on which platforms it runs', (t) => {
  const tags = { 'v1.3.0': good('0'), 'v1.4.1': good('1'), 'v1.4.2': { digest: digest('2') } }
  for (const policies of [[track], [track, guard()]]) {
    const decision = decided('v1.3.0', policies, tags)
    t.equal(decision.change, undefined, 'nor to an older one in the meantime')
    t.strictSame(asked(decision), ['v1.4.2'])
  }
  t.end()
})

t.test('of very many such versions a few are asked for at once', (t) => {
  const tags: Record<string, FakeTag> = { 'v1.3.0': good('0') }
  for (let patch = 0; patch < 20; patch++) tags[`v1.4.${patch}`] = { digest: digest('1') }
  const decision = decided('v1.3.0', [track], tags)
  t.strictSame(asked(decision), ['v1.4.19', 'v1.4.18', 'v1.4.17'])
  t.equal(decision.change, undefined)
  t.end()
})

t.test('where the registry does not say on which platforms, no older version is taken', (t) => {
  const down = { code: 'ERR_REGISTRY_UNREACHABLE', message: 'ghcr.io is down', at: NOW } as const
  const tags = { 'v1.3.0': good('0'), 'v1.4.1': good('1'), 'v1.4.2': { digest: digest('2') } }
  const decision = decided('v1.3.0', [track], tags, { [`${NAME}:v1.4.2+platforms`]: down })
  t.strictSame(
    decision.findings.map(({ reason }) => reason),
    ['RegistryUnavailable'],
  )
  t.equal(decision.change, undefined)
  t.strictSame(asked(decision), [])
  t.end()
})

t.test('a denial advises a version of unknown platforms, but none that a guard forbids', (t) => {
  const tags = { 'v1.3.0': good('0'), 'v1.4.1': {}, 'v1.4.2': {} }
  const use = (policies: CompiledPolicy[]) => decided('v2.0.0', policies, tags).findings[0]?.use
  const below = guard({ rule: { order: { semver: { range: '<1.4.2 || >=2.0.0' } } } })
  t.equal(use([track]), `${NAME}:v1.4.2`)
  t.equal(use([track, below]), `${NAME}:v1.4.1`)
  t.end()
})

t.test('the first guard that forbids a version is enough, whatever the next one says', (t) => {
  const tags = { 'v1.3.0': good('0'), 'v1.4.2': good('2') }
  const below = guard({ name: 'below', rule: { order: { semver: { range: '<1.4.2' } } } })
  const old = guard({ name: 'old', minimumAge: HOUR })
  const young = { ...tags, 'v1.4.2': { ...good('2'), firstSeen: NOW - MINUTE } }
  for (const policies of [
    [track, below, guard()],
    [track, guard(), below],
  ]) {
    t.equal(decided('v1.3.0', policies, tags).change?.tag, 'v1.3.0')
  }
  t.equal(decided('v1.3.0', [track, old, guard()], young).change?.tag, 'v1.3.0')
  t.end()
})

t.test(
  'tags alone are written only where a list of digests is known to have what they are',
  (t) => {
    const rule = { order: { digest: { allowed: [digest('0'), digest('2')] } } }
    const policies = [policy({ action: 'Track', reference: 'Tag' }), guard({ rule })]
    const newest = (tag: FakeTag) =>
      decided('v1.3.0', policies, { 'v1.3.0': good('0'), 'v1.4.2': tag })
    t.strictSame(asked(newest({})), ['v1.4.2'])
    t.equal(newest({}).change, undefined)
    t.equal(newest({ digest: digest('2') }).change?.to, `${NAME}:v1.4.2`)
    t.end()
  },
)

t.test('a version that was pushed again is moved to, unless the policy denies that', (t) => {
  const again = { digest: digest('9'), before: [digest('2')], platforms: AMD64 }
  const tags = { 'v1.3.0': good('0'), 'v1.4.2': again }
  const moved = (movedTags: CompiledPolicy['movedTags']) =>
    decided('v1.3.0', [policy({ action: 'Track', movedTags })], tags).change?.tag
  t.equal(moved('Allow'), 'v1.4.2')
  t.equal(moved('Warn'), 'v1.4.2')
  t.equal(moved('Deny'), 'v1.3.0')
  t.end()
})

t.test('a tag that is followed is advised where it is there, in the list or by itself', (t) => {
  const stable = policy({ action: 'Track', rule: { order: { digest: { follow: 'stable' } } } })
  const denied = (tags: Record<string, FakeTag>, unlisted: Record<string, FakeTag> = {}) => {
    const question = plainQuestion(parseReference(`${NAME}:v1.3.0`), [stable], DEFAULTS)
    return decide(question, facts([snapshot(NAME, tags, { unlisted })])).findings[0]?.use
  }
  t.equal(denied({ 'v1.3.0': good('0') }), undefined)
  t.equal(denied({ stable: {} }), `${NAME}:stable`)
  t.equal(denied({ 'v1.3.0': good('0') }, { stable: good('1') }), `${NAME}:stable`)
  t.end()
})
