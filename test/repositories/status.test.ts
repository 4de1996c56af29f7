import t from 'tap'
import type { FactFailure } from '../../src/decisions/ports.ts'
import type { ImageRepositoryStatus } from '../../src/policies/types.ts'
import { failureIn } from '../../src/repositories/failures.ts'
import { type StatusFacts, statusOf } from '../../src/repositories/status.ts'
import { isWorthWriting, statusPatch } from '../../src/repositories/status_patch.ts'
import type { ImageRepository } from '../../src/repositories/types.ts'
import { digest, MINUTE, NOW, snapshot } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'
const READ_AT = '2026-11-24T11:57:00Z'
const KNOWN = snapshot(NAME, { v1: { digest: digest('a') }, v2: {} })

function object(
  spec: Partial<ImageRepository['spec']> = {},
  status?: ImageRepositoryStatus,
): ImageRepository {
  const metadata = { name: 'web', namespace: 'shop', generation: 3 }
  return { metadata, spec: { image: NAME, interval: '10m', ...spec }, ...(status && { status }) }
}

function status(facts: Partial<StatusFacts> = {}): ImageRepositoryStatus {
  return statusOf({
    object: object(),
    snapshot: KNOWN,
    failure: undefined,
    fault: undefined,
    selections: [],
    ranked: undefined,
    governs: true,
    handledScan: undefined,
    now: NOW,
    ...facts,
  })
}

function failure(code: FactFailure['code'], message: string): FactFailure {
  return { code, message, at: NOW }
}

t.test('the conditions say in which state it is, and what to do', async (t) => {
  const refused = failure('ERR_REGISTRY_UNAUTHORIZED', 'ghcr.io refused the credentials')
  const slow = failure('ERR_REGISTRY_TIMEOUT', 'ghcr.io did not answer within 120 s')
  const again = 'Reconciling True Progressing: it is tried again, at least every 10m'
  const rows: [what: string, facts: Partial<StatusFacts>, conditions: string[]][] = [
    ['read', {}, ['Ready True Succeeded: 2 tags, read every 10m']],
    [
      'of one tag',
      { snapshot: snapshot(NAME, { v1: {} }) },
      ['Ready True Succeeded: 1 tag, read every 10m'],
    ],
    [
      'without tags',
      { snapshot: snapshot(NAME, {}) },
      ['Ready True Succeeded: 0 tags, read every 10m'],
    ],
    [
      'not read yet',
      { snapshot: undefined },
      [
        'Ready Unknown Progressing: its tags have not been read yet',
        'Reconciling True Progressing: its tags have not been read yet',
      ],
    ],
    [
      'refused',
      { failure: refused },
      [
        'Ready False AuthenticationFailed: ghcr.io refused the credentials. Name a Secret with the right credentials in spec.secretRef; what was read before stays in force',
        again,
      ],
    ],
    [
      'refused with a Secret',
      { failure: refused, object: object({ secretRef: { name: 'regcred' } }) },
      [
        'Ready False AuthenticationFailed: ghcr.io refused the credentials; what was read before stays in force',
        again,
      ],
    ],
    [
      'slow from the start',
      { failure: slow, snapshot: undefined },
      [
        'Ready False ReadOperationFailed: ghcr.io did not answer within 120 s; nothing is known of it yet',
        again,
      ],
    ],
    [
      'suspended',
      { object: object({ suspend: true }), failure: slow },
      [
        'Ready True Suspended: suspend is set, so its tags are not read; what was read before stays in force',
      ],
    ],
    [
      'suspended before it was read',
      { object: object({ suspend: true }), snapshot: undefined },
      [
        'Ready False Suspended: suspend is set, so its tags are not read; nothing is known of it yet',
      ],
    ],
    [
      'suspended by a namespace that only shares',
      { object: object({ suspend: true }), governs: false },
      [
        'Ready True Succeeded: 2 tags, read as the installation reads it; interval, suspend and exclusionList count with a secretRef',
      ],
    ],
    [
      'no image',
      { fault: { reason: 'InvalidImage', message: 'has a tag' }, snapshot: undefined },
      ['Ready False InvalidImage: has a tag', 'Stalled True InvalidImage: has a tag'],
    ],
    [
      'no Secret',
      { fault: { reason: 'SecretNotFound', message: 'there is no Secret shop/regcred' } },
      [
        'Ready False SecretNotFound: there is no Secret shop/regcred',
        'Reconciling True Progressing: it is read as soon as the Secret is there',
      ],
    ],
  ]
  for (const [what, facts, conditions] of rows) {
    const said = status(facts).conditions?.map(
      ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
    )
    t.strictSame(said, conditions, what)
  }
})

t.test('it says what is known of the repository', async (t) => {
  const selections = [{ policy: 'ImagePolicy shop/web', tag: 'v2', version: 'v2' }]
  t.strictSame(status({ selections, ranked: ['v2', 'v1'], handledScan: 'now' }), {
    observedGeneration: 3,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Succeeded',
        message: '2 tags, read every 10m',
        observedGeneration: 3,
        lastTransitionTime: '2026-11-24T12:00:00Z',
      },
    ],
    lastScanTime: READ_AT,
    lastHandledScan: 'now',
    tagCount: 2,
    revision: 'f00d',
    latestTags: ['v2', 'v1'],
    selections,
  })
})

t.test(
  'without a policy the latest tags are the last in byte order; all lists are bounded',
  async (t) => {
    const tags = Array.from({ length: 300 }, (_, index) => `t${1000 + index}`)
    const many = snapshot(NAME, Object.fromEntries(tags.map((tag) => [tag, {}])))
    const policies = tags.map((policy) => ({ policy }))
    const { latestTags, selections } = status({ snapshot: many, selections: policies })
    t.strictSame(latestTags, tags.toReversed().slice(0, 10))
    t.equal(selections?.length, 100)
    t.equal(status({ snapshot: many, ranked: tags }).latestTags?.length, 10)
  },
)

t.test('a condition keeps its time for as long as its status stays', async (t) => {
  const before = status()
  const later = { object: object({}, before), now: NOW + 5 * MINUTE }
  t.equal(status(later).conditions?.[0]?.lastTransitionTime, '2026-11-24T12:00:00Z')
  const failing = status({ ...later, failure: failure('ERR_REGISTRY_TIMEOUT', 'slow') })
  t.strictSame(
    failing.conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
    [
      ['Ready', '2026-11-24T12:05:00Z'],
      ['Reconciling', '2026-11-24T12:05:00Z'],
    ],
  )
})

t.test('what is not known now is not taken back: the last scan, the last use', async (t) => {
  const before = { lastScanTime: READ_AT, lastUsedTime: READ_AT }
  const { lastScanTime, lastUsedTime, tagCount } = status({
    object: object({}, before),
    snapshot: undefined,
  })
  t.strictSame([lastScanTime, lastUsedTime, tagCount], [READ_AT, READ_AT, undefined])
})

t.test(
  'it is written when it says something new, or when the others know of an old scan',
  async (t) => {
    const before = status()
    const at = (minutes: number) => ({
      ...before,
      lastScanTime: new Date(Date.parse(READ_AT) + minutes * MINUTE).toISOString(),
    })
    const rows: [what: string, after: ImageRepositoryStatus, worth: boolean][] = [
      ['the same', before, false],
      ['a little later', at(4), false],
      ['half an interval later', at(5), true],
      ['an earlier scan', at(-10), false],
      ['another tag', { ...at(1), revision: 'beef' }, true],
      ['another selection', { ...before, selections: [{ policy: 'x' }] }, true],
      ['used', { ...before, lastUsedTime: READ_AT }, false],
      ['another size of the index', { ...before, indexBytes: 7 }, false],
      ['never read', { conditions: [] }, true],
    ]
    for (const [what, after, worth] of rows)
      t.equal(isWorthWriting(before, after, '10m'), worth, what)
    t.equal(isWorthWriting(undefined, {}, '10m'), true, 'there was no status')
    t.equal(isWorthWriting({ ...before, lastScanTime: 'x' }, before, 'x'), true, 'nonsense')
  },
)

t.test('a patch holds what differs, and null for what is gone', async (t) => {
  const before = { revision: 'a', tagCount: 1, latestTags: ['v1'] }
  t.strictSame(statusPatch(before, { revision: 'b', latestTags: ['v1'] }), {
    revision: 'b',
    tagCount: null,
  })
  t.strictSame(statusPatch(undefined, { tagCount: 0 }), { tagCount: 0 })
})

t.test('every replica reads from the status what the leader met', async (t) => {
  const rows: [FactFailure, FactFailure['code']][] = [
    [failure('ERR_REGISTRY_UNAUTHORIZED', 'ghcr.io refused'), 'ERR_REGISTRY_UNAUTHORIZED'],
    [failure('ERR_REGISTRY_TIMEOUT', 'ghcr.io is slow; very'), 'ERR_REGISTRY_UNREACHABLE'],
  ]
  for (const [met, code] of rows) {
    for (const known of [KNOWN, undefined]) {
      const told = failureIn(status({ failure: met, snapshot: known }))
      t.strictSame(told, { code, message: met.message, at: NOW })
    }
  }
  for (const none of [
    undefined,
    {},
    { conditions: [] },
    status(),
    status({ snapshot: undefined }),
  ]) {
    t.equal(failureIn(none), undefined)
  }
  const suspended = status({ object: object({ suspend: true }), snapshot: undefined })
  t.equal(failureIn(suspended), undefined, 'a suspended one did not fail')
})

t.test('a failure is always later than the scan that went well before it', async (t) => {
  const before = status()
  const met = failure('ERR_REGISTRY_TIMEOUT', 'slow')
  const late = snapshot(NAME, {}, { scannedAt: NOW + 900 })
  const told = failureIn(status({ failure: met, snapshot: late, object: object({}, before) }))
  t.ok((told?.at ?? 0) > late.scannedAt)
})
