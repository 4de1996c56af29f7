import t from 'tap'
import { TagwardenError } from '../../src/errors.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { type PolicyFacts, policyStatusOf, type Selected } from '../../src/status/index.ts'
import { digest, HOUR, NOW, policy } from '../fakes/facts.ts'

const SEEN = '2026-11-24T11:57:00Z'

function one(image: string, part: Partial<Selected> = {}): Selected {
  return {
    image,
    named: true,
    scannedAt: Date.parse(SEEN),
    tags: 12,
    failure: undefined,
    newest: { tag: 'v1.4.2', digest: digest('a'), version: '1.4.2' },
    pending: false,
    ...part,
  }
}

const WEB = one('ghcr.io/acme/web')
const FAILURE = {
  code: 'ERR_REGISTRY_RATE_LIMITED',
  message: 'ghcr.io answered 429 Too Many Requests',
  at: NOW,
} as const
const NOTHING_WRONG = { problems: [], lastGood: () => undefined }
const WRONG = new TagwardenError('ERR_INVALID_POLICY', '">=banana" is not a range', {
  remedy: 'Write it like ">=1.0.0"',
  position: { file: 'ImagePolicy shop/web', field: 'spec.order.semver.range' },
})

function facts(
  part: Partial<Omit<PolicyFacts, 'object'>> & { object?: Partial<PolicyFacts['object']> } = {},
) {
  const { object, ...rest } = part
  const selected = rest.selected ?? [WEB]
  return {
    before: undefined,
    count: selected.length,
    rivalry: undefined,
    now: NOW,
    ...rest,
    selected,
    object: { ...{ generation: 3, inForce: 3, policy: policy() }, ...NOTHING_WRONG, ...object },
  }
}

t.test('a policy that is in force says what is newest, and how old that fact is', (t) => {
  t.strictSame(policyStatusOf(facts()), {
    observedGeneration: 3,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Accepted',
        message: 'the newest permitted tag of ghcr.io/acme/web is v1.4.2',
        observedGeneration: 3,
        lastTransitionTime: '2026-11-24T12:00:00Z',
      },
    ],
    order: 'semver >=1.2.3 <2.0.0',
    repositoryCount: 1,
    newest: 'v1.4.2',
    lastScanTime: SEEN,
    repositories: [
      {
        image: 'ghcr.io/acme/web',
        tag: 'v1.4.2',
        digest: digest('a'),
        version: '1.4.2',
        seen: SEEN,
      },
    ],
  })
  t.end()
})

const digests = (): CompiledPolicy =>
  policy({ rule: { order: { digest: { allowed: [digest('a')] } } } })
const barren = { newest: undefined }
const glob = { named: false }

t.test('the conditions of each state, in words that a person can act on', (t) => {
  const rows: [name: string, facts: PolicyFacts, conditions: string[]][] = [
    [
      'wrong, and nothing was right before',
      facts({ object: { problems: [WRONG], policy: undefined, inForce: undefined }, selected: [] }),
      [
        'Ready=False InvalidPolicy: spec.order.semver.range: ">=banana" is not a range. Write it like ">=1.0.0". Until then it permits and refuses nothing',
        'Stalled=True InvalidPolicy: spec.order.semver.range: ">=banana" is not a range. Write it like ">=1.0.0". Until then it permits and refuses nothing',
      ],
    ],
    [
      'wrong, and an older version counts',
      facts({ object: { problems: Array(7).fill(WRONG), inForce: 2 } }),
      [
        `Ready=False InvalidPolicy: ${Array(5).fill('spec.order.semver.range: ">=banana" is not a range. Write it like ">=1.0.0"').join('; ')}; and 2 more. Until then generation 2 stays in force`,
        /^Stalled=True InvalidPolicy/.source,
      ],
    ],
    [
      'a rival',
      facts({
        rivalry: {
          image: 'ghcr.io/acme/web',
          rival: 'ImagePolicy shop/other',
          mine: 'v1.4.2',
          theirs: 'v2.0.0',
        },
      }),
      [
        'Ready=False Conflict: ImagePolicy shop/other is as specific for ghcr.io/acme/web and chooses v2.0.0, this one v1.4.2: the image is refused. Make one of them more specific, or give both the same rule',
        /^Stalled=True Conflict/.source,
      ],
    ],
    [
      'the registry fails, and something is known',
      facts({ selected: [{ ...WEB, failure: FAILURE }] }),
      [
        `Ready=False RegistryUnavailable: the tags of ghcr.io/acme/web cannot be read: ghcr.io answered 429 Too Many Requests; what was read ${SEEN} counts`,
        'Reconciling=True Scanning: the registry is asked again and again',
      ],
    ],
    [
      'the registry fails from the start',
      facts({
        selected: ['a', 'b', 'c'].map((name) =>
          one(`ghcr.io/acme/${name}`, { scannedAt: 0, newest: undefined, failure: FAILURE }),
        ),
      }),
      [
        'Ready=False RegistryUnavailable: the tags of ghcr.io/acme/a cannot be read: ghcr.io answered 429 Too Many Requests; nothing is known of it yet. The same with 2 more',
        /^Reconciling=True/.source,
      ],
    ],
    [
      'not read yet',
      facts({ selected: [one('ghcr.io/acme/web', { scannedAt: 0, newest: undefined })] }),
      [
        'Ready=Unknown Scanning: the tags of ghcr.io/acme/web have not been read yet',
        'Reconciling=True Scanning: the tags of ghcr.io/acme/web have not been read yet',
      ],
    ],
    [
      'its platforms are not known yet',
      facts({ selected: [{ ...WEB, ...barren, pending: true }] }),
      [
        'Ready=Unknown Scanning: what the newest tags of ghcr.io/acme/web are made of has not been read yet',
        /^Reconciling=True/.source,
      ],
    ],
    [
      'no tag is permitted',
      facts({ selected: [{ ...WEB, ...barren }] }),
      [
        'Ready=False NoPermittedTag: none of the 12 tags of ghcr.io/acme/web is permitted by semver >=1.2.3 <2.0.0. Push one that is, or change order or tags',
      ],
    ],
    [
      'the only tag is not permitted',
      facts({ selected: [{ ...WEB, ...barren, tags: 1 }] }),
      [
        'Ready=False NoPermittedTag: the 1 tag of ghcr.io/acme/web is not permitted by semver >=1.2.3 <2.0.0. Push one that is, or change order or tags',
      ],
    ],
    [
      'a pattern covers some without a permitted tag',
      facts({ selected: [one('ghcr.io/acme/api', { ...glob, ...barren }), { ...WEB, ...glob }] }),
      [
        'Ready=True Accepted: in force for 2 repositories; the newest permitted tag of ghcr.io/acme/web is v1.4.2',
      ],
    ],
    [
      'a pattern covers none with a permitted tag',
      facts({ selected: [one('ghcr.io/acme/api', { ...glob, ...barren })] }),
      [/^Ready=False NoPermittedTag: none of the 12 tags of ghcr\.io\/acme\/api/.source],
    ],
    [
      'a pattern covers nothing in use',
      facts({ selected: [] }),
      ['Ready=True Accepted: in force; nothing that it covers is in use yet'],
    ],
    [
      'digests need no tag',
      facts({ object: { policy: digests() }, selected: [{ ...WEB, ...barren }] }),
      ['Ready=True Accepted: in force for the digests that it lists'],
    ],
  ]
  for (const [name, given, expected] of rows) {
    const { conditions = [] } = policyStatusOf(given)
    const lines = conditions.map((it) => `${it.type}=${it.status} ${it.reason}: ${it.message}`)
    t.equal(lines.length, expected.length, name)
    for (const [index, line] of lines.entries()) {
      const wanted = expected[index] ?? ''
      if (wanted.startsWith('^')) t.match(line, new RegExp(wanted), name)
      else t.equal(line, wanted, name)
    }
  }
  t.end()
})

t.test('a condition keeps its time while it says the same', (t) => {
  const before = policyStatusOf(facts({ now: NOW - HOUR }))
  const same = policyStatusOf(facts({ before, selected: [{ ...WEB, tags: 13 }] }))
  t.equal(same.conditions?.[0]?.lastTransitionTime, '2026-11-24T11:00:00Z')
  const other = policyStatusOf(facts({ before, selected: [{ ...WEB, ...barren }] }))
  t.equal(other.conditions?.[0]?.lastTransitionTime, '2026-11-24T12:00:00Z')
  t.end()
})

t.test(
  'the first fifty repositories are shown, all are counted, the oldest reading is told',
  (t) => {
    const many = Array.from({ length: 60 }, (_, index) =>
      one(`ghcr.io/acme/p${String(index).padStart(3, '0')}`, {
        scannedAt: NOW - index * HOUR,
        ...(index === 0 && barren),
      }),
    )
    const status = policyStatusOf(facts({ selected: many, count: 4_711 }))
    t.equal(status.repositories?.length, 50)
    t.equal(status.repositoryCount, 4_711)
    t.equal(status.newest, 'v1.4.2', 'of the first one that has one')
    t.equal(status.lastScanTime, new Date(NOW - 59 * HOUR).toISOString().replace('.000', ''))
    t.end()
  },
)

t.test('what the promoter wrote stays', (t) => {
  const lastPromotion = { time: SEEN, image: 'ghcr.io/acme/web', tag: 'v1.4.1', count: 3 }
  t.strictSame(policyStatusOf(facts({ before: { lastPromotion } })).lastPromotion, lastPromotion)
  t.end()
})
