import t from 'tap'
import { type KubernetesObject, LEASES } from '../../src/cluster/index.ts'
import { createProbeHandlers } from '../../src/webhooks/index.ts'
import { createProbe } from '../../src/webhooks/probe.ts'
import { createFakeCluster } from '../fakes/cluster.ts'

const NONCE = 'tagwarden.io/probe-nonce'
const SEEN = 'tagwarden.io/probe-seen'
const CALL = { timeoutSeconds: 10, received: 0 }

function review(object: unknown): Buffer {
  const kind = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' }
  const request = { uid: 'u', kind, operation: 'CREATE', object }
  return Buffer.from(
    JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }),
  )
}

t.test('the mutating one copies the nonce, the validating one wants to see both', async (t) => {
  const handlers = createProbeHandlers()
  const ask = async (path: keyof typeof handlers, annotations: unknown) => {
    const { body } = await handlers[path](review({ metadata: { annotations } }), CALL)
    return JSON.parse(body).response
  }
  const mutated = await ask('probe-mutate', { [NONCE]: 'n"\\' })
  t.strictSame(JSON.parse(Buffer.from(mutated.patch, 'base64').toString()), [
    { op: 'add', path: '/metadata/annotations/tagwarden.io~1probe-seen', value: 'n"\\' },
  ])
  const rows: [title: string, annotations: unknown, allowed: boolean][] = [
    ['both', { [NONCE]: 'n', [SEEN]: 'n' }, true],
    ['one', { [NONCE]: 'n' }, false],
    ['the other', { [SEEN]: 'n' }, false],
    ['two that differ', { [NONCE]: 'n', [SEEN]: 'm' }, false],
    ['empty ones', { [NONCE]: '', [SEEN]: '' }, false],
    ['no texts', { [NONCE]: 1, [SEEN]: 1 }, false],
    ['none', undefined, false],
    ['null', null, false],
    ['a list', [], false],
    ['a text', 'x', false],
  ]
  for (const [title, annotations, allowed] of rows) {
    t.equal((await ask('probe-validate', annotations)).allowed, allowed, title)
    t.equal((await ask('probe-mutate', annotations)).allowed, true, title)
  }
})

t.test('what is no review is refused, as by the other handlers', async (t) => {
  for (const body of [
    '',
    '{',
    '[]',
    '{"__proto__":{}}',
    review({ metadata: 1 }).toString().slice(9),
  ]) {
    for (const handler of Object.values(createProbeHandlers())) {
      await t.rejects(handler(Buffer.from(body), CALL), { code: 'ERR_INVALID_REVIEW' }, body)
    }
  }
  for (const object of [{}, { metadata: null }, { metadata: 'x' }]) {
    const { body } = await createProbeHandlers()['probe-validate'](review(object), CALL)
    t.equal(JSON.parse(body).response.allowed, false)
  }
})

/** A cluster whose API server gives back what `answer` makes of the Lease. */
function answering(answer: (lease: KubernetesObject) => KubernetesObject | Error) {
  const cluster = createFakeCluster()
  const asked: object[] = []
  const create = async (_resource: unknown, object: KubernetesObject, options: object) => {
    asked.push(options)
    const given = answer(object)
    if (given instanceof Error) throw given
    return given
  }
  return { asked, cluster: { ...cluster, create: create as typeof cluster.create } }
}

t.test('alive since the first probe that passed; a failure says why and ends it', async (t) => {
  let now = 1_000
  let answer: (lease: KubernetesObject) => KubernetesObject | Error = seen
  const { asked, cluster } = answering((lease) => answer(lease))
  const probe = createProbe({ cluster, namespace: 'a', name: 'tagwarden', clock: () => now })
  t.strictSame(await probe.run(), { aliveSince: 1_000, lastProbe: 1_000, problem: undefined })
  now = 2_000
  t.strictSame(await probe.run(), { aliveSince: 1_000, lastProbe: 2_000, problem: undefined })
  t.ok(asked.every((options) => 'dryRun' in options && options.dryRun === true))
  answer = (lease) => lease
  t.match(await probe.run(), { aliveSince: undefined, problem: /did not call the mutating/ })
  answer = () => new Error('broken')
  t.match(await probe.run(), { problem: 'broken' })
  answer = seen
  now = 3_000
  t.match(await probe.run(), { aliveSince: 3_000, problem: undefined })
})

t.test('an annotation that somebody writes beforehand proves nothing', async (t) => {
  const { cluster } = answering((lease) => ({
    ...lease,
    metadata: { ...lease.metadata, annotations: { [SEEN]: 'guessed' } },
  }))
  const probe = createProbe({ cluster, namespace: 'a', name: 'tagwarden', clock: () => 1 })
  t.match(await probe.run(), { problem: /did not call/ })
})

t.test('a Lease of the probe’s name does not count as alive, and is named', async (t) => {
  const cluster = createFakeCluster()
  cluster.put(LEASES, { metadata: { name: 'tagwarden-probe', namespace: 'a' } })
  const probe = createProbe({ cluster, namespace: 'a', name: 'tagwarden', clock: () => 1 })
  t.match(await probe.run(), { problem: 'there is a Lease a/tagwarden-probe. Delete it' })
})

function seen(lease: KubernetesObject): KubernetesObject {
  const { annotations = {} } = lease.metadata
  return {
    ...lease,
    metadata: { ...lease.metadata, annotations: { ...annotations, [SEEN]: annotations[NONCE]! } },
  }
}
