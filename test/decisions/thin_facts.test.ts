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
import { DEFAULTS, DOWN, digest, facts, GONE, HOUR, NOW, policy, snapshot } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'
const AMD64 = ['linux/amd64']
const TAGS = { 'v1.3.0': { digest: digest('0') }, 'v1.4.2': { digest: digest('2') } }
const INDEX = snapshot(NAME, TAGS)
const follow = { order: { digest: { follow: 'stable' } } } as const
const list = { order: { digest: { allowed: [digest('0')] } } } as const

interface World {
  index?: RepositorySnapshot
  failures?: Record<string, FactFailure>
  late?: boolean
}

function decided(
  image: string,
  options: Parameters<typeof policy>[0],
  { index, failures = {}, late = false }: World,
  question: Partial<Question> = {},
): Decision {
  const asked = plainQuestion(parseReference(NAME + image), [policy(options)], DEFAULTS)
  return decide({ ...asked, ...question }, { ...facts(index ? [index] : [], failures), late })
}

/** Reasons with their enforcement, and which facts are asked for. */
function brief({ findings, needs }: Decision): string {
  const found = findings.map(({ enforcement, reason }) => `${enforcement} ${reason}`)
  return [...found, ...needs.map(({ fact }) => `needs ${fact}`)].join(', ')
}

t.test('an index that is old, since the registry fails, still refuses what it refuses', (t) => {
  const index = snapshot(NAME, TAGS, { failure: DOWN, scannedAt: NOW - 2 * HOUR })
  for (const whenRegistryFails of ['UseCached', 'Allow'] as const) {
    const said = brief(decided(':v2.0.0', { whenRegistryFails }, { index }))
    t.match(said, /^Enforce OutOfRange/, whenRegistryFails)
  }
  t.end()
})

t.test('a tag in no list, and no registry to ask', (t) => {
  const world = { index: INDEX, failures: {} as Record<string, FactFailure> }
  const rows: [string, Parameters<typeof policy>[0], string][] = [
    ['its name is all that counts', {}, ''],
    ['its age counts', { minimumAge: HOUR }, 'Enforce RegistryUnavailable'],
    ['its platforms count', { platforms: AMD64 }, 'Enforce RegistryUnavailable'],
    ['its digest counts', { rule: list }, 'Enforce RegistryUnavailable'],
  ]
  for (const [title, options, expected] of rows) {
    const key = `${NAME}:v1.9.9${options?.platforms ? '+platforms' : ''}`
    t.equal(brief(decided(':v1.9.9', options, world)), 'needs manifest', title)
    const failing = { ...world, failures: { [key]: DOWN } }
    t.equal(brief(decided(':v1.9.9', options, failing)), expected, `${title}: down`)
  }
  t.end()
})

t.test('a tag of which nobody knows on which platforms it runs is not let through', (t) => {
  const judged = (failures: Record<string, FactFailure>) =>
    brief(decided(':v1.4.2', { platforms: AMD64 }, { index: INDEX, failures }))
  t.equal(judged({}), 'needs manifest')
  t.equal(judged({ [`${NAME}:v1.4.2+platforms`]: DOWN }), 'Enforce RegistryUnavailable')
  t.end()
})

t.test('platforms are asked for where only a guard rail wants them', (t) => {
  const guard = policy({ kind: 'ClusterImagePolicy', name: 'guard', platforms: AMD64 })
  const policies = [policy({ action: 'Track' }), guard]
  const decision = decided(':v1.3.0', {}, { index: INDEX }, { policies })
  t.match(decision.needs, [{ fact: 'manifest', platforms: true }])
  t.end()
})

t.test('a denial names the platforms that a tag is not there for, and no others', (t) => {
  const index = snapshot(NAME, { 'v1.4.2': { digest: digest('2'), platforms: AMD64 } })
  const platforms = ['linux/amd64', 'linux/arm64', 'linux/s390x']
  const [finding] = decided(':v1.4.2', { platforms }, { index }).findings
  t.match(finding?.message, /^v1\.4\.2 is not there for linux\/arm64, linux\/s390x\. /)
  t.end()
})

t.test('a tag that is known by itself is judged, though its list cannot be had', (t) => {
  const tag = { digest: digest('0'), platforms: AMD64 }
  const index = snapshot(NAME, {}, { scannedAt: 0, unlisted: { 'v1.3.0': tag } })
  const options = { platforms: AMD64 }
  t.equal(brief(decided(':v1.3.0', options, { index })), 'needs repository')
  t.equal(brief(decided(':v1.3.0', options, { index, failures: { [NAME]: DOWN } })), '')
  t.end()
})

t.test('a bare digest is good by any one of its permitted tags', (t) => {
  const good = { digest: digest('a') }
  const young = { digest: digest('a'), firstSeen: NOW }
  const moved = { digest: digest('a'), before: [digest('b')] }
  const judged = (tags: Parameters<typeof snapshot>[1]) =>
    brief(decided(`@${digest('a')}`, { minimumAge: HOUR }, { index: snapshot(NAME, tags) }))
  t.equal(judged({ 'v1.3.0': young }), 'Enforce TooYoung')
  t.equal(judged({ 'v1.3.0': young, 'v1.4.0': good, 'v1.4.1': moved }), '')
  t.equal(judged({ 'v1.3.0': young, 'v1.4.1': moved }), 'Warn TagMoved')
  t.equal(judged({ 'v1.3.0': moved, 'v1.4.1': young }), 'Warn TagMoved')
  t.equal(judged({ 'v1.3.0': good, 'v1.4.1': moved }), '')
  t.equal(judged({ 'v2.0.0': good, 'v1.4.1': young }), 'Enforce TooYoung', 'permitted ones only')
  t.end()
})

t.test('a bare digest that nobody has seen', (t) => {
  const stable = snapshot(NAME, { stable: { digest: digest('0'), checkedAt: NOW } })
  const old = snapshot(NAME, { stable: { digest: digest('0') } })
  const rows: [string, Parameters<typeof policy>[0], World, string][] = [
    ['of an unknown repository', {}, {}, 'needs repository'],
    ['the registry is down', {}, { failures: { [NAME]: DOWN } }, 'Enforce RegistryUnavailable'],
    ['there is no repository', {}, { failures: { [NAME]: GONE } }, 'Enforce DigestUnknown'],
    ['nor the followed tag', { rule: follow }, {}, 'needs manifest'],
    ['the followed tag is old', { rule: follow }, { index: old }, 'needs manifest'],
    ['the followed tag is fresh', { rule: follow }, { index: stable }, 'Enforce DigestUnknown'],
    [
      'the followed tag cannot be had',
      { rule: follow },
      { index: old, failures: { [`${NAME}:stable`]: DOWN } },
      'Enforce RegistryUnavailable',
    ],
    ['there was no time to look', {}, { index: INDEX, late: true }, 'Enforce Timeout'],
  ]
  for (const [title, options, world, expected] of rows) {
    t.equal(brief(decided(`@${digest('e')}`, options, world)), expected, title)
  }
  t.end()
})

t.test('what is only audited is not shown to anybody, whatever else weakens it', (t) => {
  const index = snapshot(NAME, { 'v1.4.2': { digest: digest('9'), before: [digest('2')] } })
  const audit = { enforcement: 'Audit' } as const
  const owned: Partial<Question> = { mode: 'judge', ownerReviewed: true }
  t.equal(brief(decided(':v1.4.2', audit, { index })), 'Audit TagMoved')
  t.equal(brief(decided(':v2.0.0', audit, { index }, { unchanged: true })), 'Audit OutOfRange')
  const fresh = snapshot(NAME, { 'v1.4.2': { digest: digest('9'), checkedAt: NOW } })
  const stranger = decided(`:v1.4.2@${digest('e')}`, audit, { index: fresh }, owned)
  t.equal(brief(stranger), 'Audit DigestMismatch')
  const previous = {
    image: parseReference(`${NAME}:v1.4.2@${digest('9')}`),
    record: { requested: `${NAME}:v1.3.0`, rolledBackFrom: undefined },
  }
  const guard = policy({
    ...audit,
    name: 'guard',
    rule: { order: { semver: { range: '>=1.4.0' } } },
  })
  const policies = [policy({ action: 'Track' }), guard]
  const again = decided(':v1.3.0', {}, { index: INDEX }, { policies, previous })
  t.equal(brief(again), 'Audit OutOfRange', 'the same request again')
  t.end()
})

t.test('a tag that moved: what it was, what it is, and since when', (t) => {
  const moved = { digest: digest('9'), before: [digest('2')], firstSeen: NOW - 3 * HOUR }
  const [finding] = decided(':v1.4.2', {}, { index: snapshot(NAME, { 'v1.4.2': moved }) }).findings
  t.match(
    finding?.message,
    /^v1\.4\.2 was sha256:2{12}… when it was first seen and became sha256:9{12}… 2h ago\./,
  )
  t.end()
})

t.test('on pods of a reviewed owner, also the defaults only warn', (t) => {
  const defaults = { ...DEFAULTS, unmatched: 'Deny', ownedObjects: 'Warn' } as const
  const owned: Partial<Question> = { policies: [], mode: 'judge', defaults }
  const judged = (ownerReviewed: boolean) =>
    brief(decided(':latest', {}, { index: INDEX }, { ...owned, ownerReviewed }))
  t.equal(judged(false), 'Enforce Unmatched, Enforce LatestTag')
  t.equal(judged(true), 'Warn Unmatched, Warn LatestTag')
  t.end()
})
