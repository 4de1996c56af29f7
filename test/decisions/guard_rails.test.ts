import fc from 'fast-check'
import t from 'tap'
import { type Decision, decide, plainQuestion } from '../../src/decisions/index.ts'
import { parseReference } from '../../src/images/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { DEFAULTS, DOWN, digest, facts, HOUR, policy, snapshot } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'
const INDEX = snapshot(NAME, {
  'v1.2.2': {},
  'v1.3.0': { digest: digest('0'), platforms: ['linux/amd64'] },
  'v1.4.2': { digest: digest('2'), before: [digest('1')] },
  'v2.0.0': { digest: digest('f') },
  latest: { digest: digest('f') },
})
const failing = new Proxy({}, { get: () => DOWN })

const isDenied = ({ findings }: Decision) =>
  findings.some(({ enforcement }) => enforcement === 'Enforce')

t.test('a tenant who lets latest be resolved does not get it past a guard rail', async (t) => {
  const rail = policy({ kind: 'ClusterImagePolicy', name: 'base' })
  const image = parseReference(`${NAME}:latest`)
  const rows: [string, Partial<CompiledPolicy>][] = [
    ['and only warns', { enforcement: 'Warn' }],
    ['of an order that nothing fits', { enforcement: 'Warn', selector: nothingFits() }],
    ['and allows what the registry does not say', { whenRegistryFails: 'Allow', minimumAge: HOUR }],
  ]
  for (const [title, tenant] of rows) {
    const own = policy({ action: 'Track', latest: 'Resolve', ...tenant })
    for (const known of [facts([INDEX]), facts([], failing), facts([INDEX], failing)]) {
      const question = { ...plainQuestion(image, [own, rail], DEFAULTS), mode: 'check' as const }
      t.ok(isDenied(decide(question, known)), title)
    }
  }
})

t.test('law: what a cluster policy denies, no policy of a namespace lets through', async (t) => {
  const tags = fc.constantFrom('', ':latest', ':v1.2.2', ':v1.3.0', ':v1.4.2', ':v2.0.0', ':dev')
  const digests = fc.constantFrom(
    '',
    ...['0', '1', '2', 'f', '9'].map((each) => `@${digest(each)}`),
  )
  const spec = {
    action: fc.constantFrom('Verify' as const, 'Pin' as const, 'Track' as const),
    reference: fc.constantFrom('TagAndDigest' as const, 'Tag' as const, 'Digest' as const),
    latest: fc.constantFrom('Deny' as const, 'Resolve' as const),
    whenRegistryFails: fc.constantFrom('UseCached' as const, 'Deny' as const, 'Allow' as const),
    movedTags: fc.constantFrom('Deny' as const, 'Warn' as const, 'Allow' as const),
    minimumAge: fc.constantFrom(0, HOUR, 1000 * HOUR),
    platforms: fc.constantFrom([], ['linux/amd64'], ['linux/s390x']),
    rule: fc.constantFrom(
      {},
      { order: { alphabetical: { order: 'Ascending' as const } } },
      { pattern: '^nothing$' },
      { order: { digest: { allowed: [digest('9')] } } },
      { order: { digest: { follow: 'latest' } } },
    ),
  }
  const enforcement = fc.constantFrom('Enforce' as const, 'Warn' as const, 'Audit' as const)
  fc.assert(
    fc.property(
      fc.record({ tag: tags, digest: digests }),
      fc.record({ ...spec, latest: fc.constant('Deny' as const) }),
      fc.record({ ...spec, enforcement }),
      fc.constantFrom(facts([INDEX]), facts([]), facts([], failing), facts([INDEX], failing)),
      fc.constantFrom('check' as const, 'judge' as const),
      fc.boolean(),
      (written, cluster, tenant, known, mode, restored) => {
        const image = parseReference(`${NAME}${written.tag}${written.digest}`)
        const rail = policy({
          ...cluster,
          kind: 'ClusterImagePolicy',
          name: 'base',
          action: 'Verify',
        })
        const own = policy(tenant)
        const ask = (policies: CompiledPolicy[]) =>
          decide({ ...plainQuestion(image, policies, DEFAULTS), mode, restored }, known)
        const alone = ask([rail])
        const both = ask([own, rail])
        return !isDenied(alone) || isDenied(both)
      },
    ),
    { numRuns: 3000 },
  )
  t.pass()
})

function nothingFits() {
  return policy({ rule: { order: { semver: { range: '>=999.0.0' } } } }).selector
}
