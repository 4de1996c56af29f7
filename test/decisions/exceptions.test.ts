import fc from 'fast-check'
import t from 'tap'
import {
  type Decision,
  decide,
  type FactFailure,
  plainQuestion,
  type Question,
} from '../../src/decisions/index.ts'
import { parseReference } from '../../src/images/index.ts'
import { compilePolicies, parsePolicies } from '../../src/policies/index.ts'
import type { CompiledException } from '../../src/policies/types.ts'
import { DEFAULTS, digest, facts, HOUR, NOW, policy, snapshot } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'
const INDEX = snapshot(NAME, {
  'v0.9.1': { digest: digest('9'), checkedAt: NOW },
  'v1.3.0': { digest: digest('0') },
  'v1.4.2': { digest: digest('2'), checkedAt: NOW },
})

function exception(spec: object = {}): CompiledException {
  const text = JSON.stringify({
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImagePolicyException',
    metadata: { name: 'x', namespace: 'shop' },
    spec: { images: [NAME], reason: 'OPS-123', expires: '2026-12-01T00:00:00Z', ...spec },
  })
  return compilePolicies(parsePolicies(text, 'f').resources).set.allExceptions[0]!
}

function decided(
  tag: string,
  question: Partial<Question> = {},
  more: { now?: number; failures?: Record<string, FactFailure> } = {},
): Decision {
  const image = parseReference(`${NAME}${tag}`)
  const plain = plainQuestion(image, [policy()], DEFAULTS, [exception()])
  const given = facts([INDEX], more.failures ?? {})
  return decide({ ...plain, ...question }, { ...given, now: more.now ?? NOW })
}

/** Reasons with their enforcement, then what the image becomes. */
function brief({ findings, change }: Decision): string {
  const said = findings.map(({ enforcement, reason }) => `${enforcement} ${reason}`)
  return [...said, ...(change ? [`-> ${change.to.replace(NAME, '')}`] : [])].join(', ')
}

t.test('what would be denied is a warning that says who let it through, and until when', (t) => {
  const { findings } = decided(':v0.9.1')
  t.strictSame(
    findings.map(({ message }) => message),
    [
      'ImagePolicy shop/web permits semver >=1.2.3 <2.0.0; newest is v1.4.2 (seen 3m ago). Let through by ImagePolicyException shop/x until 2026-12-01 (OPS-123).',
    ],
  )
  t.match(findings, [
    {
      enforcement: 'Warn',
      reason: 'OutOfRange',
      exception: { title: 'ImagePolicyException shop/x' },
    },
  ])
  t.end()
})

t.test('an end within a day is told with its time, a long reason by its beginning', (t) => {
  const exceptions = [exception({ expires: '2026-12-01T09:30:00+02:00', reason: 'x'.repeat(1024) })]
  const message = decided(':v0.9.1', { exceptions }).findings[0]?.message ?? ''
  t.match(message, / until 2026-12-01T07:30:00Z \(x{199}…\)\.$/)
  t.end()
})

t.test('it counts up to the millisecond before its end', (t) => {
  const end = Date.UTC(2026, 11, 1)
  t.equal(brief(decided(':v0.9.1', {}, { now: end - 1 })), 'Warn OutOfRange')
  t.equal(brief(decided(':v0.9.1', {}, { now: end })), 'Enforce OutOfRange')
  t.equal(brief(decided(':v0.9.1', {}, { now: end + 1 })), 'Enforce OutOfRange')
  t.end()
})

t.test('one that has expired does not hide one that has not', (t) => {
  const exceptions = [
    exception({ expires: '2026-11-01T00:00:00Z' }),
    exception({ expires: '2026-11-25T00:00:00Z', reason: 'the other' }),
  ]
  t.match(decided(':v0.9.1', { exceptions }).findings[0]?.message, /\(the other\)/)
  t.end()
})

t.test('a violating image that is let through is not moved, by either hook', (t) => {
  const track = { policies: [policy({ action: 'Track' })] }
  for (const mode of ['resolve', 'check', 'judge'] as const) {
    t.equal(brief(decided(':v0.9.1', { ...track, mode })), 'Warn OutOfRange', mode)
  }
  t.equal(brief(decided(':v1.3.0', track)), `-> :v1.4.2@${digest('2')}`, 'one that is right, is')
  const moved = snapshot(NAME, { 'v1.4.2': { digest: digest('2'), before: [digest('1')] } })
  const strict = { policies: [policy({ action: 'Track', movedTags: 'Deny' })] }
  const plain = plainQuestion(parseReference(`${NAME}:v1.4.2`), strict.policies, DEFAULTS, [
    exception(),
  ])
  t.equal(brief(decide(plain, facts([moved]))), 'Warn TagMoved')
  t.end()
})

t.test('latest is let through as it is, or resolved where the policy resolves it', (t) => {
  const resolve = { policies: [policy({ action: 'Track', latest: 'Resolve' })] }
  t.equal(brief(decided(':latest')), 'Warn LatestTag')
  t.equal(brief(decided('')), 'Warn LatestTag')
  t.equal(brief(decided('', resolve)), `-> :v1.4.2@${digest('2')}`)
  const none = {
    policies: [policy({ action: 'Track', latest: 'Resolve', rule: { pattern: '^x' } })],
  }
  t.equal(brief(decided('', none)), 'Warn NoPermittedTag')
  t.equal(brief(decided('', { ...none, mode: 'check' })), 'Warn NoPermittedTag')
  t.end()
})

t.test('a cluster policy stands unless it may be lifted', (t) => {
  const own = policy()
  const strict = policy({ kind: 'ClusterImagePolicy', name: 'base' })
  const soft = policy({ kind: 'ClusterImagePolicy', name: 'base', exceptions: 'Allow' })
  t.equal(
    brief(decided(':v0.9.1', { policies: [own, strict] })),
    'Warn OutOfRange, Enforce OutOfRange',
  )
  t.equal(brief(decided(':v0.9.1', { policies: [own, soft] })), 'Warn OutOfRange, Warn OutOfRange')
  t.equal(
    brief(decided(':latest', { policies: [own, strict] })),
    'Warn LatestTag, Enforce LatestTag',
    'what both say is said once, but not the weaker of the two',
  )
  t.equal(brief(decided(':latest', { policies: [own, soft] })), 'Warn LatestTag')
  t.end()
})

t.test('only what it names is lifted', (t) => {
  const policies = [policy(), policy({ name: 'other' })]
  const exceptions = [exception({ policies: ['other'] })]
  t.equal(
    brief(decided(':v0.9.1', { policies, exceptions })),
    'Enforce OutOfRange, Warn OutOfRange',
  )
  t.end()
})

t.test('what the configuration denies is no policy that could be lifted', (t) => {
  const defaults = { ...DEFAULTS, unmatched: 'Deny' as const }
  t.equal(
    brief(decided(':latest', { policies: [], defaults })),
    'Enforce Unmatched, Enforce LatestTag',
  )
  t.end()
})

t.test('what only warns or audits is said as without an exception', (t) => {
  for (const enforcement of ['Warn', 'Audit'] as const) {
    const { findings } = decided(':v0.9.1', { policies: [policy({ enforcement })] })
    t.match(findings, [{ enforcement }])
    t.notMatch(findings[0]?.message, /Let through/)
  }
  const unchanged = decided(':v0.9.1', { unchanged: true })
  t.equal(brief(unchanged), 'Warn OutOfRange')
  t.notMatch(unchanged.findings[0]?.message, /Let through/)
  t.end()
})

t.test('a registry that fails lets nothing through by itself, but an exception does', (t) => {
  const down = { code: 'ERR_REGISTRY_UNREACHABLE' as const, message: 'refused', at: NOW }
  const plain = plainQuestion(parseReference(`${NAME}@${digest('a')}`), [policy()], DEFAULTS, [
    exception(),
  ])
  t.equal(brief(decide(plain, facts([], { [NAME]: down }))), 'Warn RegistryUnavailable')
  t.end()
})

t.test(
  'an exception for a tag is for the digests of that tag, not for any that takes its name',
  (t) => {
    const exceptions = [exception({ images: [`${NAME}:v0.9.*`] })]
    const rows: [image: string, says: string][] = [
      [':v0.9.1', 'Warn OutOfRange'],
      [`:v0.9.1@${digest('9')}`, 'Warn OutOfRange'],
      [`:v0.9.1@${digest('e')}`, 'Enforce OutOfRange'],
      [`@${digest('e')}`, 'Enforce DigestUnknown'],
    ]
    for (const [image, says] of rows) {
      // the index gives a question only the exceptions that cover its image
      const covering = exceptions.filter(
        (each) => each.covers(parseReference(`${NAME}${image}`)) !== undefined,
      )
      t.equal(brief(decided(image, { exceptions: covering })), says, image)
    }
    t.end()
  },
)

t.test('whether a digest is that of an excepted tag is asked for before it is denied', (t) => {
  const exceptions = [exception({ images: [`${NAME}:v0.*`] })]
  const asked = decided(`:v0.8.0@${digest('8')}`, { exceptions })
  t.match(asked.needs, [{ fact: 'manifest', name: NAME, tag: 'v0.8.0' }])
  const known = snapshot(NAME, {}, { unlisted: { 'v0.8.0': { digest: digest('8') } } })
  const image = parseReference(`${NAME}:v0.8.0@${digest('8')}`)
  const question = plainQuestion(image, [policy()], DEFAULTS, exceptions)
  t.equal(brief(decide(question, facts([known]))), 'Warn OutOfRange')
  const gone = { code: 'ERR_REGISTRY_NOT_FOUND' as const, message: 'answered 404', at: NOW }
  const key = `${NAME}:v0.8.0`
  const denied = decided(`:v0.8.0@${digest('8')}`, { exceptions }, { failures: { [key]: gone } })
  t.equal(brief(denied), 'Enforce OutOfRange')
  t.strictSame(denied.needs, [])
  t.end()
})

t.test('a digest that the index learned long ago is looked up again before a denial', (t) => {
  const old = snapshot(NAME, { 'v0.9.1': { digest: digest('9'), checkedAt: NOW - HOUR } })
  const exceptions = [exception({ images: [`${NAME}:v0.9.*`] })]
  const image = parseReference(`${NAME}:v0.9.1@${digest('e')}`)
  const { needs } = decide(plainQuestion(image, [policy()], DEFAULTS, exceptions), facts([old]))
  t.match(needs, [{ fact: 'manifest', tag: 'v0.9.1' }])
  t.end()
})

t.test('law: exceptions weaken denials that they lift, and change nothing else', (t) => {
  const tags = [':v0.9.1', ':v1.3.0', ':v1.4.2', ':v2.0.0', '', ':latest', `:v1.3.0@${digest('0')}`]
  const policies = fc.array(
    fc
      .record({
        kind: fc.constantFrom('ImagePolicy' as const, 'ClusterImagePolicy' as const),
        name: fc.constantFrom('a', 'b', 'c'),
        action: fc.constantFrom('Verify' as const, 'Pin' as const, 'Track' as const),
        latest: fc.constantFrom('Deny' as const, 'Resolve' as const),
        enforcement: fc.constantFrom('Enforce' as const, 'Warn' as const, 'Audit' as const),
        range: fc.constantFrom('^1', '^2', '<1.4'),
        lenient: fc.boolean(),
      })
      .map(({ range, lenient, ...rest }) =>
        policy({
          ...rest,
          ...(lenient && { exceptions: 'Allow' as const }),
          rule: { order: { semver: { range } } },
        }),
      ),
    { maxLength: 3 },
  )
  const exceptions = fc.array(
    fc
      .record({
        policies: fc.subarray(['a', 'b', 'c']),
        expires: fc.constantFrom('2026-01-01T00:00:00Z', '2099-01-01T00:00:00Z'),
      })
      .map(exception),
    { minLength: 1, maxLength: 3 },
  )
  const mode = fc.constantFrom('resolve' as const, 'check' as const, 'judge' as const)
  const unmarked = ({ findings }: Decision) =>
    findings.filter(({ exception }) => exception === undefined)
  fc.assert(
    fc.property(
      fc.constantFrom(...tags),
      policies,
      exceptions,
      mode,
      (tag, policies, exceptions, mode) => {
        const without = decided(tag, { policies, exceptions: [], mode })
        const given = decided(tag, { policies, exceptions, mode })
        t.strictSame(given.change?.to, without.change?.to)
        for (const finding of unmarked(given)) {
          t.ok(
            without.findings.some(({ message }) => message === finding.message) ||
              finding.reason === 'LatestTag',
          )
        }
        for (const { policy, enforcement, exception } of given.findings) {
          if (exception === undefined) continue
          t.equal(enforcement, 'Warn')
          t.ok(NOW < exception.expires)
          t.equal(policy?.exceptions, 'Allow')
        }
        const strict = without.findings.some(
          ({ policy, enforcement }) => policy?.exceptions === 'Deny' && enforcement === 'Enforce',
        )
        const denied = given.findings.some(({ enforcement }) => enforcement === 'Enforce')
        t.ok(!strict || denied, 'what may not be lifted still denies')
      },
    ),
    { numRuns: 500 },
  )
  t.end()
})
