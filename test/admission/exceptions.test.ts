import t from 'tap'
import { createReviewHandlers } from '../../src/admission/index.ts'
import { compilePolicies, type PolicySet, parsePolicies } from '../../src/policies/index.ts'
import { DEFAULTS, digest, NOW, snapshot, source } from '../fakes/facts.ts'
import { answered, deployment, review, reviewOptions } from './reviews.ts'

const NAME = 'ghcr.io/acme/web'
const OLD = `${NAME}:v0.9.1`
const END = NOW + 60_000

function set(exception: object | undefined, policy: object = {}, kind = 'ImagePolicy'): PolicySet {
  const apiVersion = 'tagwarden.io/v1alpha1'
  const namespace = kind === 'ImagePolicy' ? { namespace: 'shop' } : {}
  const objects = [
    {
      apiVersion,
      kind,
      metadata: { name: 'web', ...namespace },
      spec: { images: [NAME], order: { semver: { range: '>=1.0.0' } }, ...policy },
    },
    ...(exception === undefined
      ? []
      : [
          {
            apiVersion,
            kind: 'ImagePolicyException',
            metadata: { name: 'x', namespace: 'shop' },
            spec: {
              images: [NAME],
              reason: 'OPS-123',
              expires: new Date(END).toISOString(),
              ...exception,
            },
          },
        ]),
  ]
  const text = JSON.stringify({ kind: 'List', items: objects })
  return compilePolicies(parsePolicies(text, 'f').resources).set
}

/** What both hooks answer at a moment. */
function hooks(policies: () => PolicySet, clock: () => number = () => NOW) {
  const index = snapshot(NAME, {
    'v0.9.1': { digest: digest('9') },
    'v1.4.2': { digest: digest('2') },
  })
  const handlers = createReviewHandlers(
    reviewOptions([], { policies, source: source([index]), defaults: DEFAULTS, clock }),
  )
  return async (object: unknown, request: Record<string, unknown> = {}) => {
    const call = { timeoutSeconds: 10, received: clock() }
    const body = review(object, request)
    return {
      mutate: answered(await handlers.mutate(body, call)),
      validate: answered(await handlers.validate(body, call)),
    }
  }
}

const web = deployment({ app: OLD })

t.test('an excepted image passes both hooks as it is, and kubectl says why', async (t) => {
  const policies = set({})
  const { mutate, validate } = await hooks(() => policies)(web)
  t.match(mutate, { allowed: true })
  t.strictSame(mutate.patch ?? [], [])
  t.match(validate, {
    allowed: true,
    warnings: [
      /^containers\[0\] "app": ghcr\.io\/acme\/web:v0\.9\.1 \[OutOfRange\] .* Let through by ImagePolicyException shop\/x until 2026-11-24T12:01:00Z \(OPS-123\)\. Use ghcr\.io\/acme\/web:v1\.4\.2$/,
    ],
  })
})

t.test('without it, or one millisecond after its end, the image is denied', async (t) => {
  const bare = set(undefined)
  t.match(await hooks(() => bare)(web), { validate: { allowed: false } })
  let now = END - 1
  const policies = set({})
  const ask = hooks(
    () => policies,
    () => now,
  )
  t.match(await ask(web), { validate: { allowed: true } })
  now = END
  t.match(await ask(web), { validate: { allowed: false } }, 'what was remembered does not count')
})

t.test('an exception that comes or goes counts in the same second', async (t) => {
  let policies = set(undefined)
  const ask = hooks(() => policies)
  const [without, withIt] = [policies, set({})]
  for (const [now, allowed] of [
    [without, false],
    [withIt, true],
    [without, false],
  ] as const) {
    policies = now
    t.match(await ask(web), { validate: { allowed } })
  }
})

t.test('a cluster policy is lifted only where it says so', async (t) => {
  for (const [spec, allowed] of [
    [{}, false],
    [{ exceptions: 'Allow' }, true],
  ] as const) {
    const policies = set({}, spec, 'ClusterImagePolicy')
    t.match(await hooks(() => policies)(web), { validate: { allowed } })
  }
})

t.test(
  'an exception by name is for that workload, and for what its controllers make',
  async (t) => {
    const policies = set({ match: { kinds: ['Deployment'], names: ['web'] } })
    const ask = hooks(() => policies)
    t.match(await ask(web), { validate: { allowed: true } })
    t.match(await ask(deployment({ app: OLD }, { name: 'api' })), { validate: { allowed: false } })

    const spec = { containers: [{ name: 'app', image: OLD }] }
    const owner = { apiVersion: 'apps/v1', controller: true, uid: 'u' }
    const labels = { 'pod-template-hash': '5d4f' }
    const replicaSet = {
      metadata: {
        ...{ name: 'web-5d4f', namespace: 'shop', labels },
        ownerReferences: [{ ...owner, kind: 'Deployment', name: 'web' }],
      },
      spec: { template: { spec } },
    }
    const pod = {
      metadata: {
        ...{ generateName: 'web-5d4f-', namespace: 'shop', labels },
        ownerReferences: [{ ...owner, kind: 'ReplicaSet', name: 'web-5d4f' }],
      },
      spec,
    }
    const by = (account: string) => ({
      userInfo: { username: `system:serviceaccount:kube-system:${account}` },
    })
    const replicaSets = { kind: { group: 'apps', kind: 'ReplicaSet' }, name: 'web-5d4f' }
    const pods = { kind: { group: '', kind: 'Pod' }, name: '' }
    const rows: [title: string, object: object, request: object, allowed: boolean][] = [
      ['its ReplicaSet', replicaSet, { ...replicaSets, ...by('deployment-controller') }, true],
      ['its pods', pod, { ...pods, ...by('replicaset-controller') }, true],
      ['a ReplicaSet that somebody says is its own', replicaSet, replicaSets, false],
      ['a pod that somebody says is its own', pod, pods, false],
      [
        'pods of another ReplicaSet',
        {
          ...pod,
          metadata: {
            ...pod.metadata,
            ownerReferences: [{ ...owner, kind: 'ReplicaSet', name: 'webx-5d4f' }],
          },
        },
        { ...pods, ...by('replicaset-controller') },
        false,
      ],
      [
        'pods of a ReplicaSet without the label',
        { ...pod, metadata: { ...pod.metadata, labels: {} } },
        { ...pods, ...by('replicaset-controller') },
        false,
      ],
    ]
    for (const [title, object, request, allowed] of rows) {
      const { validate } = await ask(object, request as Record<string, unknown>)
      t.equal(validate.allowed, allowed, title)
    }
  },
)

t.test('pods of a CronJob go by the name of the CronJob', async (t) => {
  const policies = set({ match: { kinds: ['CronJob'], names: ['report'] } })
  const pod = (job: string) => ({
    metadata: {
      ...{ generateName: `${job}-`, namespace: 'shop' },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: job, controller: true }],
    },
    spec: { containers: [{ name: 'app', image: OLD }] },
  })
  const request = {
    kind: { group: '', kind: 'Pod' },
    name: '',
    userInfo: { username: 'system:serviceaccount:kube-system:job-controller' },
  }
  const ask = hooks(() => policies)
  t.match(await ask(pod('report-29405310'), request), { validate: { allowed: true } })
  t.match(await ask(pod('report-manual'), request), { validate: { allowed: false } })
})

t.test('an exception of another namespace lets nothing through', async (t) => {
  const policies = set({}, { exceptions: 'Allow' }, 'ClusterImagePolicy')
  const elsewhere = deployment({ app: OLD }, { namespace: 'other' })
  const { validate } = await hooks(() => policies)(elsewhere, { namespace: 'other' })
  t.equal(validate.allowed, false)
})
