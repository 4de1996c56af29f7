import t from 'tap'
import { type Decision, decide, plainQuestion, type Question } from '../../src/decisions/index.ts'
import { parseReference } from '../../src/images/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { DEFAULTS, digest, facts, policy, snapshot } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'
const TAGS = {
  'v1.3.0': { digest: digest('0') },
  'v1.4.1': { digest: digest('1') },
  'v1.4.2': { digest: digest('2') },
  latest: { digest: digest('2') },
}

function decided(
  image: string,
  policies: CompiledPolicy[],
  question: Partial<Question> = {},
): Decision {
  const asked = plainQuestion(parseReference(NAME + image), policies, DEFAULTS)
  return decide({ ...asked, ...question }, facts([snapshot(NAME, TAGS)]))
}

function ran(image: string, rolledBackFrom?: string): NonNullable<Question['previous']> {
  const record = { requested: `${NAME}:v1.3.0`, rolledBackFrom }
  return { image: parseReference(image), record }
}

const found = ({ findings }: Decision) =>
  findings.map(({ enforcement, reason }) => `${enforcement} ${reason}`)

t.test('only policies that both may move, and are as specific, can be in conflict', (t) => {
  const track = policy({ action: 'Track', name: 'a' })
  const rows: [string, CompiledPolicy][] = [
    ['one that only verifies', policy({ action: 'Verify', name: 'b' })],
    ['one that only audits', policy({ action: 'Pin', name: 'b', enforcement: 'Audit' })],
    ['a guard rail', policy({ action: 'Pin', kind: 'ClusterImagePolicy', name: 'b' })],
    ['a less specific one', policy({ action: 'Pin', name: 'b', specificity: () => 1 })],
  ]
  for (const [title, other] of rows) {
    const decision = decided(':v1.3.0', [track, other])
    t.strictSame(found(decision), [], title)
    t.equal(decision.change?.tag, 'v1.4.2', title)
  }
  t.end()
})

t.test('a conflict is denied where either of the two denies, else it is a warning', (t) => {
  const of = (one: CompiledPolicy['enforcement'], two: CompiledPolicy['enforcement']) =>
    found(
      decided(':v1.3.0', [
        policy({ action: 'Track', name: 'a', enforcement: one }),
        policy({ action: 'Pin', name: 'b', enforcement: two }),
      ]),
    )
  t.strictSame(of('Enforce', 'Enforce'), ['Enforce PolicyConflict'])
  t.strictSame(of('Enforce', 'Warn'), ['Enforce PolicyConflict'])
  t.strictSame(of('Warn', 'Enforce'), ['Enforce PolicyConflict'])
  t.strictSame(of('Warn', 'Warn'), ['Warn PolicyConflict'])
  t.end()
})

t.test('what runs for the same request is kept, though a second policy would move it', (t) => {
  const policies = [policy({ action: 'Pin', name: 'a' }), policy({ action: 'Track', name: 'b' })]
  const previous = ran(`${NAME}:v1.3.0@${digest('0')}`)
  const decision = decided(':v1.3.0', policies, { previous })
  t.strictSame(found(decision), [])
  t.equal(decision.change?.to, `${NAME}:v1.3.0@${digest('0')}`)
  t.end()
})

t.test('what a policy only warns of is let through as it is, and never moved', (t) => {
  const warn = policy({ action: 'Track', enforcement: 'Warn' })
  for (const [image, said] of [
    [':v2.0.0', 'Warn OutOfRange'],
    [':latest', 'Warn LatestTag'],
  ] as const) {
    const decision = decided(image, [warn])
    t.strictSame(found(decision), [said])
    t.equal(decision.change, undefined)
  }
  t.end()
})

t.test('who goes back twice is brought only to what is newer than all that was left', (t) => {
  const policies = [policy({ action: 'Track' })]
  const back = (image: string, previous: Question['previous']) =>
    decided(image, policies, { previous }).rolledBackFrom
  const once = ran(`${NAME}:v1.4.1@${digest('1')}`, 'v1.4.2')
  t.equal(back(`:v1.3.0@${digest('0')}`, once), 'v1.4.2')
  t.equal(back(`:v1.4.2@${digest('2')}`, once), undefined, 'until it goes there again')
  const unlike = ran(`ghcr.io/old/web:v1.9.0@${digest('9')}`)
  t.equal(back(`:v1.4.1@${digest('1')}`, unlike), undefined, 'another repository is no way back')
  t.end()
})

t.test('a rollback is remembered while what runs is kept, and over with the next move', (t) => {
  const policies = [policy({ action: 'Track' })]
  const again = (rolledBackFrom: string) =>
    decided(':v1.3.0', policies, { previous: ran(`${NAME}:v1.3.0@${digest('0')}`, rolledBackFrom) })
  t.match(again('v1.4.2'), { change: { kept: true }, rolledBackFrom: 'v1.4.2' })
  const moved = again('v1.4.1')
  t.match(moved.change, { kept: false, tag: 'v1.4.2' })
  t.equal(moved.rolledBackFrom, undefined)
  t.end()
})

t.test('an object that says what latest became is believed only where latest is followed', (t) => {
  const resolve = { action: 'Track', latest: 'Resolve', reference: 'Tag' } as const
  const follow = policy({ ...resolve, rule: { order: { digest: { follow: 'latest' } } } })
  const restored = { restored: true, mode: 'check' } as const
  t.strictSame(found(decided(':latest', [follow], restored)), [])
  t.strictSame(found(decided(':latest', [policy(resolve)], restored)), ['Enforce LatestTag'])
  const pinned = policy({ ...resolve, reference: 'TagAndDigest' })
  const digested = decided(`:v1.3.0@${digest('0')}`, [pinned])
  t.strictSame(
    [found(digested), digested.change],
    [[], undefined],
    'nor is a digest resolved again',
  )
  t.end()
})
