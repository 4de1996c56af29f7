import t from 'tap'
import { createPolicyReviewHandler, type ReviewSummary } from '../../src/admission/index.ts'
import { compilePolicies, readObjects } from '../../src/policies/index.ts'
import { NOW } from '../fakes/facts.ts'
import { answered } from './reviews.ts'

const CALL = { timeoutSeconds: 10, received: NOW }
const GROUP = 'tagwarden.io'

function object(kind: string, spec: unknown, metadata: object = {}) {
  return {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind,
    metadata: {
      name: 'web',
      ...(kind !== 'ClusterImagePolicy' && { namespace: 'shop' }),
      ...metadata,
    },
    spec,
  }
}

const policy = (spec: object = {}, kind = 'ImagePolicy', metadata: object = {}) =>
  object(
    kind,
    { images: ['ghcr.io/acme/web'], order: { semver: { range: '1.x' } }, ...spec },
    metadata,
  )
const exception = (spec: object = {}) =>
  object('ImagePolicyException', {
    images: ['ghcr.io/acme/web'],
    reason: 'OPS-1',
    expires: '2036-01-01T00:00:00Z',
    ...spec,
  })

/** What the hook says of an object, with these in force already. */
async function review(
  value: ReturnType<typeof object>,
  { present = [], ...request }: { present?: unknown[] } & Record<string, unknown> = {},
) {
  const told: ReviewSummary[] = []
  const { set } = compilePolicies(readObjects(present).resources)
  const handler = createPolicyReviewHandler({
    policies: () => set,
    customKinds: [{ group: 'argoproj.io', kind: 'Rollout' }],
    clock: () => NOW,
    onReviewed: (summary) => void told.push(summary),
  })
  const body = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      kind: { group: GROUP, version: 'v1alpha1', kind: value.kind },
      operation: 'CREATE',
      namespace: value.metadata.namespace ?? '',
      name: 'web',
      userInfo: { username: 'jane' },
      object: value,
      ...request,
    },
  }
  const answer = answered(await handler(Buffer.from(JSON.stringify(body)), CALL))
  return { ...answer, told }
}

t.test('what is right is stored without a word', async (t) => {
  const rows = [
    policy(),
    policy({}, 'ClusterImagePolicy'),
    exception(),
    object('ImageRepository', { image: 'ghcr.io/acme/web' }),
    policy({}, 'ImagePolicy', { name: undefined, generateName: 'web-' }),
    policy({ match: { kinds: ['Deployment', 'Job.batch', 'Rollout', 'Rollout.argoproj.io'] } }),
    policy({ tags: { pattern: '^(v)(?P<a>.+)(?P<a>x)?$', extract: '$$x$0${1}$2${a}' } }),
  ]
  for (const each of rows) {
    const { allowed, warnings, uid, told } = await review(each)
    t.match({ allowed, warnings, uid }, { allowed: true, warnings: [], uid: 'u1' }, each.kind)
    t.match(told, [{ hook: 'policies', verdict: 'allowed' }])
  }
})

t.test('what a CRD cannot say is refused in the words of a policy file', async (t) => {
  const { allowed, message, told } = await review(
    policy({
      images: ['https://ghcr.io/acme/web'],
      order: { semver: { range: '>=banana' } },
      tags: { pattern: '(' },
    }),
  )
  t.equal(allowed, false)
  const [head, ...lines] = (message ?? '').split('\n')
  t.equal(head, 'ImagePolicy shop/web is wrong:')
  t.match(
    lines[0],
    /^ {2}spec\.images\[0\]: "https:.*" has a scheme\. Write "ghcr\.io\/acme\/web"$/,
  )
  t.match(told, [{ hook: 'policies', verdict: 'denied', object: 'ImagePolicy shop/web' }])

  const range = await review(policy({ order: { semver: { range: '>=banana' } } }))
  t.match(range.message, /\n {2}spec\.order\.semver\.range: .*banana.*\. .+$/)
  const window = { schedule: '0 2 * * *', timeZone: 'Europe/Nowhere', duration: '3h' }
  const cron = await review(policy({ promotion: { windows: [window] } }))
  t.match(cron.message, /spec\.promotion\.windows\[0\]\.timeZone: /)
  t.match((await review(exception({ images: ['a@b'] }))).message, /spec\.images\[0\]: .*digest/)
  const repository = object('ImageRepository', { image: 'ghcr.io/acme/web', exclusionList: ['('] })
  t.match((await review(repository)).message, /spec\.exclusionList\[0\]: /)
})

t.test('an exception that is over cannot be made, but stays as it is', async (t) => {
  const over = exception({ expires: '2020-01-01T00:00:00Z' })
  const made = await review(over)
  t.equal(made.allowed, false)
  t.match(made.message, /spec\.expires: 2020-01-01T00:00:00\.000Z is over\. Write a moment to come/)
  const changed = await review(over, { operation: 'UPDATE', oldObject: exception() })
  t.match(changed, { allowed: true, warnings: [/is over, so that it lets nothing through/] })
})

t.test(
  'deleting, status, and what leaves the specification alone are never in the way',
  async (t) => {
    const wrong = policy({ order: {} })
    const rows: [string, Record<string, unknown>][] = [
      ['deleting', { operation: 'DELETE', object: null, oldObject: wrong }],
      ['status', { operation: 'UPDATE', subResource: 'status', oldObject: policy() }],
      ['the same specification', { operation: 'UPDATE', oldObject: { ...wrong, metadata: {} } }],
      [
        'finalizers of one that is being deleted',
        {
          operation: 'UPDATE',
          object: {
            ...wrong,
            metadata: { name: 'web', deletionTimestamp: '2026-11-24T12:00:00Z' },
          },
          oldObject: policy(),
        },
      ],
      ['another group', { kind: { group: 'example.com', kind: 'ImagePolicy' } }],
    ]
    for (const [name, request] of rows) {
      const { allowed, told } = await review(wrong, request)
      t.equal(allowed, true, name)
      t.match(told, [{ verdict: 'skipped' }], name)
    }
    const update = await review(wrong, { operation: 'UPDATE', oldObject: policy() })
    t.equal(update.allowed, false, 'a wrong edit is refused')
  },
)

t.test('what is allowed but doubtful is warned of', async (t) => {
  const rows: [string, ReturnType<typeof object>, RegExp][] = [
    ['covers nothing', policy({ exclude: ['ghcr.io/**'] }), /^spec\.exclude: .* for nothing$/],
    [
      'audits and promotes',
      policy({ enforcement: 'Audit', promote: 'Continuously' }),
      /^spec\.promote: /,
    ],
    ['audits latest', policy({ enforcement: 'Audit', latest: 'Resolve' }), /^spec\.latest: /],
    [
      'warns but closes',
      policy({ enforcement: 'Warn', onUnavailable: 'Deny' }),
      /^spec\.onUnavailable: Deny refuses everything .* enforcement Warn/,
    ],
    [
      'warns but denies',
      policy({ enforcement: 'Warn', whenRegistryFails: 'Deny' }),
      /^spec\.whenRegistryFails: /,
    ],
    [
      'a kind that is misspelt',
      policy({ match: { kinds: ['Deployment', 'Deploymnt'] } }),
      /^spec\.match\.kinds\[1\]: Deploymnt is no kind .* Those are .*Deployment, .* imageFields/,
    ],
    [
      'a kind that is misspelt, of an exception',
      exception({ match: { kinds: ['deployment'] } }),
      /^spec\.match\.kinds\[0\]: deployment is no kind/,
    ],
    [
      'a group that is not there',
      policy({ tags: { pattern: '^v(?P<version>.+)$', extract: '$versoin' } }),
      /^spec\.tags\.extract: the pattern has no group versoin, so that \$\{versoin\} is always empty/,
    ],
    [
      'a number without braces',
      policy({ tags: { pattern: '^v(.+)$', extract: '$1x' } }),
      /^spec\.tags\.extract: the pattern has no group 1x/,
    ],
    [
      'closes the whole cluster',
      policy({ images: ['**'], onUnavailable: 'Deny' }, 'ClusterImagePolicy'),
      /^spec\.onUnavailable: with images "\*\*"/,
    ],
  ]
  for (const [name, value, expected] of rows) {
    const { allowed, warnings } = await review(value)
    t.equal(allowed, true, name)
    t.ok(
      warnings.some((line) => expected.test(line)),
      `${name}: ${warnings.join(' | ')}`,
    )
  }
})

t.test('a policy that would be a rival of another one is told so, by name', async (t) => {
  const other = policy({ order: { semver: { range: '2.x' } } }, 'ImagePolicy', { name: 'other' })
  const wide = policy({ images: ['ghcr.io/acme/*'] }, 'ImagePolicy', { name: 'wide' })
  const present = [other, wide, policy({}, 'ClusterImagePolicy'), policy()]
  const { warnings } = await review(policy(), { present })
  t.equal(warnings.length, 1)
  t.match(
    warnings[0],
    /^spec\.images: ImagePolicy shop\/other is as specific for ghcr\.io\/acme\/web\./,
  )
  const glob = policy({ images: ['ghcr.io/acme/*'], order: { semver: { range: '2.x' } } })
  t.match((await review(glob, { present })).warnings, [/ImagePolicy shop\/wide is as specific for/])
  const equal = policy({ order: { semver: { range: '2.x' } } })
  t.strictSame((await review(equal, { present })).warnings, [], 'two that agree are no rivals')
})

t.test('an exception is told which of its policies it cannot lift', async (t) => {
  const present = [
    policy({ exceptions: 'Deny' }, 'ClusterImagePolicy', { name: 'base' }),
    policy({}, 'ImagePolicy', { name: 'web' }),
    policy({}, 'ImagePolicy', { name: 'far', namespace: 'office' }),
  ]
  const { warnings } = await review(exception({ policies: ['web', 'base', 'far', 'none'] }), {
    present,
  })
  t.match(warnings, [
    /^spec\.policies: ClusterImagePolicy base says exceptions: Deny/,
    /^spec\.policies: there is no policy far for namespace shop$/,
    /^spec\.policies: there is no policy none for namespace shop$/,
  ])
})

t.test('hostile objects are refused, and never end the process', async (t) => {
  for (const spec of [null, 'x', [], 7, JSON.parse('{"__proto__":{"images":["**"]}}')]) {
    const { allowed, message } = await review(object('ImagePolicy', spec))
    t.equal(allowed, false, JSON.stringify(spec))
    t.match(message, /^ImagePolicy shop\/web is wrong:\n {2}spec/)
  }
  const many = policy({ images: Array.from({ length: 250 }, (_, at) => `https://x${at}`) })
  const { message = '' } = await review(many)
  t.equal(message.split('\n').length, 102)
  t.match(message, /and 150 more$/)
  await t.rejects(
    createPolicyReviewHandler({ policies: () => ({}) as never })(Buffer.from(''), CALL),
    {
      code: 'ERR_INVALID_REVIEW',
    },
  )
})
