import t, { type Test } from 'tap'
import type { ImageField } from '../../src/images/index.ts'
import { webhookConfigurations } from '../../src/webhooks/configuration.ts'
import type { Admin, Answer } from '../cluster/admin.ts'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { startControlPlane, waitFor } from '../cluster/control-plane.ts'
import {
  adminOf,
  CONTAINERS,
  installation,
  makeNamespace,
  OPEN,
  type Recorder,
  startRecorder,
  tryPod,
} from './stage.ts'

const FIELDS: readonly ImageField[] = [
  { group: 'example.com', kind: 'Rollout', paths: ['/spec/containers/*/image', '/da~1ta/tool'] },
]
const BOTH = ['mutate', 'validate']
const OTHER = [{ name: 'app', image: 'registry.example.com/acme/web:latest' }]
const ADMISSION = '/apis/admissionregistration.k8s.io/v1'

type Tree = Record<string, unknown>

function customKind(plural: string, kind: string): object {
  const schema = {
    openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  }
  const version = (name: string, storage: boolean) => ({ name, served: true, storage, schema })
  return {
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [version('v1', true), version('v1beta1', false)],
    },
  }
}

const template = (containers: object = CONTAINERS) => ({
  metadata: { labels: { app: 'web' } },
  spec: { restartPolicy: 'Always', containers },
})
const selector = { matchLabels: { app: 'web' } }
const once = (containers: object) => ({
  spec: { restartPolicy: 'Never', containers },
})

/** Each kind: its path, and its content with these containers. */
const KINDS: Readonly<Record<string, [path: string, content: (containers: object) => Tree]>> = {
  Pod: ['/api/v1/namespaces/shop/pods', (containers) => ({ spec: { containers } })],
  PodTemplate: [
    '/api/v1/namespaces/shop/podtemplates',
    (containers) => ({ template: template(containers) }),
  ],
  ReplicationController: [
    '/api/v1/namespaces/shop/replicationcontrollers',
    (containers) => ({ spec: { replicas: 0, template: template(containers) } }),
  ],
  Deployment: [
    '/apis/apps/v1/namespaces/shop/deployments',
    (containers) => ({ spec: { replicas: 0, selector, template: template(containers) } }),
  ],
  StatefulSet: [
    '/apis/apps/v1/namespaces/shop/statefulsets',
    (containers) => ({ spec: { replicas: 0, selector, template: template(containers) } }),
  ],
  DaemonSet: [
    '/apis/apps/v1/namespaces/shop/daemonsets',
    (containers) => ({ spec: { selector, template: template(containers) } }),
  ],
  ReplicaSet: [
    '/apis/apps/v1/namespaces/shop/replicasets',
    (containers) => ({ spec: { replicas: 0, selector, template: template(containers) } }),
  ],
  CronJob: [
    '/apis/batch/v1/namespaces/shop/cronjobs',
    (containers) => ({
      spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: once(containers) } } },
    }),
  ],
  Rollout: [
    '/apis/example.com/v1beta1/namespaces/shop/rollouts',
    (containers) => ({
      apiVersion: 'example.com/v1beta1',
      kind: 'Rollout',
      spec: { containers },
      'da/ta': { tool: 'a' },
    }),
  ],
}

t.test(
  'which requests the API server asks about',
  { skip: skipWithoutControlPlane() },
  async (t) => {
    const cluster = await startControlPlane()
    t.teardown(() => cluster.stop())
    const admin = adminOf(t, cluster)
    const recorder = await startRecorder(t)
    await prepare(admin, recorder)

    const expect = async (t: Test, title: string, hooks: string[], run: () => Promise<Answer>) => {
      recorder.take()
      let answer = await run()
      // To be asked for nothing is no harm, once: the API server may still be taking over a change.
      for (let again = 0; again < 2 && hooks.length === 0 && recorder.take().length > 0; again += 1)
        answer = await run()
      t.ok(answer.status < 300, `${title}: ${answer.status} ${answer.body['message'] ?? ''}`)
      t.strictSame(recorder.take(), hooks, title)
      return answer.body as Tree & { metadata: Tree }
    }

    await t.test('every kind: a new image is seen, what changes nothing is not', async (t) => {
      for (const [kind, [path, content]] of Object.entries(KINDS)) {
        const url = `${path}/${kind.toLowerCase()}`
        const post = { metadata: { name: kind.toLowerCase() }, ...content(CONTAINERS) }
        const put = (object: Tree & { metadata: Tree }) => async () => {
          const { body } = await admin.call('GET', url)
          const { resourceVersion } = body['metadata'] as Tree
          return admin.call('PUT', url, {
            ...object,
            metadata: { ...object.metadata, resourceVersion },
          })
        }
        const made = await expect(t, `${kind} made`, BOTH, () => admin.call('POST', path, post))
        const { metadata } = made
        const base = { ...made, metadata }
        const changed = (more: Tree) => put({ ...base, metadata: { ...metadata, ...more } })
        await expect(t, `${kind} as it was`, [], put(base))
        await expect(t, `${kind} with a finalizer`, [], changed({ finalizers: ['example.com/a'] }))
        await expect(t, `${kind} without it`, [], put(base))
        await expect(t, `${kind} labelled`, BOTH, changed({ labels: { a: 'b' } }))
        await expect(t, `${kind} annotated`, BOTH, changed({ annotations: { a: 'b' } }))
        await expect(t, `${kind} without both`, BOTH, put(base))
        // Custom kinds know no strategic merge.
        const type = kind === 'Rollout' ? 'merge' : 'strategic-merge'
        const patched = () =>
          admin.call('PATCH', url, content(OTHER), `application/${type}-patch+json`)
        await expect(t, `${kind} with another image`, BOTH, patched)
        await expect(t, `${kind} with the same again`, [], patched)
      }
    })

    await t.test('subresources', async (t) => {
      const deployment = `${KINDS['Deployment']![0]}/deployment`
      const merge = 'application/merge-patch+json'
      const scale = { spec: { replicas: 1 } }
      const to = (path: string, body: object) => () => admin.call('PATCH', path, body, merge)
      await expect(t, 'scale', [], to(`${deployment}/scale`, scale))
      const status = { status: { replicas: 1 }, spec: KINDS['Deployment']![1](CONTAINERS)['spec'] }
      await expect(t, 'status', [], to(`${deployment}/status`, status))
      await expect(t, 'replicas', BOTH, to(deployment, { spec: { replicas: 2 } }))
      const debug = { name: 'debug', image: 'busybox' }
      const ephemeral = `${KINDS['Pod']![0]}/pod/ephemeralcontainers`
      const body = { spec: { ephemeralContainers: [debug] } }
      const strategic = 'application/strategic-merge-patch+json'
      await expect(t, 'ephemeral containers', BOTH, () =>
        admin.call('PATCH', ephemeral, body, strategic),
      )
    })

    await t.test('custom kinds: only the configured fields of the configured kind', async (t) => {
      const [path] = KINDS['Rollout']!
      const url = `${path}/rollout`
      const merge = 'application/merge-patch+json'
      const to = (body: object) => () => admin.call('PATCH', url, body, merge)
      await expect(t, 'a field with a path', BOTH, to({ 'da/ta': { tool: 'b' } }))
      await expect(t, 'a field without one', [], to({ more: { tool: 'b' } }))
      await expect(t, 'a field that goes', BOTH, to({ 'da/ta': null }))
      await expect(t, 'spec that goes', BOTH, to({ spec: null }))
      await expect(t, 'spec that comes', BOTH, to({ spec: { containers: 'no list' } }))
      const stable = path.replace('v1beta1', 'v1')
      const rollout = { apiVersion: 'example.com/v1', kind: 'Rollout', metadata: { name: 'v1' } }
      await expect(t, 'another version', BOTH, () => admin.call('POST', stable, rollout))
      const others = stable.replace('rollouts', 'others')
      const other = { ...rollout, kind: 'Other', spec: { containers: OTHER } }
      await expect(t, 'another kind of the group', [], () => admin.call('POST', others, other))
    })

    await t.test('what is being deleted is not seen, what only says so is', async (t) => {
      const [path, content] = KINDS['Deployment']!
      const merge = 'application/merge-patch+json'
      const metadata = { name: 'ending', finalizers: ['example.com/hold'] }
      const claims = { ...metadata, name: 'claims', deletionTimestamp: '2020-01-01T00:00:00Z' }
      const make = (of: object) => () =>
        admin.call('POST', path, { metadata: of, ...content(CONTAINERS) })
      await expect(t, 'made', BOTH, make(metadata))
      await expect(t, 'made with a deletionTimestamp', BOTH, make(claims))
      await expect(t, 'deleted', [], () => admin.call('DELETE', `${path}/ending`))
      const patch = (name: string) => () =>
        admin.call('PATCH', `${path}/${name}`, content(OTHER), merge)
      await expect(t, 'changed meanwhile', [], patch('ending'))
      await expect(t, 'its twin', BOTH, patch('claims'))
    })

    await t.test('mirror pods of nodes are not seen; nobody else makes one', async (t) => {
      const node = {
        'impersonate-user': 'system:node:n1',
        'impersonate-group': 'system:nodes',
      }
      const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } }
      const make = (name: string, more: object, headers: Record<string, string>) => () =>
        admin.call(
          'POST',
          KINDS['Pod']![0],
          { metadata: { name, ...more }, spec: { nodeName: 'n1', containers: CONTAINERS } },
          undefined,
          headers,
        )
      await expect(t, 'a mirror pod of a node', [], make('mirror', mirror, node))
      await expect(t, 'another pod of a node', BOTH, make('plain', {}, node))
      await expect(t, 'a mirror pod of a person', BOTH, make('claims', mirror, {}))
    })

    await t.test('what a controller makes is judged, not changed', async (t) => {
      const account = (namespace: string, name: string) => ({
        'impersonate-user': `system:serviceaccount:${namespace}:${name}`,
        'impersonate-group': 'system:masters',
      })
      const replicaSets = account('kube-system', 'replicaset-controller')
      const owner = (kind: string, more: object = { controller: true }, version = 'apps/v1') => ({
        apiVersion: version,
        kind,
        name: 'web',
        uid: 'u',
        ...more,
      })
      const rows: [title: string, headers: Record<string, string>, owners: object[], string[]][] = [
        ['of a ReplicaSet', replicaSets, [owner('ReplicaSet')], ['validate']],
        ['of two owners', replicaSets, [owner('X', {}), owner('ReplicaSet')], ['validate']],
        ['of another kind', replicaSets, [owner('StatefulSet')], BOTH],
        ['of another group', replicaSets, [owner('ReplicaSet', undefined, 'a/v1')], BOTH],
        ['of nobody', replicaSets, [], BOTH],
        ['not the controller', replicaSets, [owner('ReplicaSet', {})], BOTH],
        ['controller: false', replicaSets, [owner('ReplicaSet', { controller: false })], BOTH],
        ['a person', {}, [owner('ReplicaSet')], BOTH],
        [
          'same name elsewhere',
          account('shop', 'replicaset-controller'),
          [owner('ReplicaSet')],
          BOTH,
        ],
        ['another account', account('kube-system', 'default'), [owner('ReplicaSet')], BOTH],
        [
          'many owners',
          replicaSets,
          Array.from({ length: 1000 }, (_, index) => owner(`X${index}`, {})),
          BOTH,
        ],
      ]
      for (const [index, [title, headers, ownerReferences, hooks]] of rows.entries()) {
        await expect(t, title, hooks, () =>
          admin.call(
            'POST',
            KINDS['Pod']![0],
            {
              metadata: { name: `owned-${index}`, ownerReferences },
              spec: { containers: CONTAINERS },
            },
            undefined,
            headers,
          ),
        )
      }
    })

    await t.test(
      'namespaces that the cluster and Tagwarden need are not asked about',
      async (t) => {
        for (const [namespace, hooks] of [
          ['kube-system', []],
          ['tagwarden', []],
          ['quiet', []],
          ['shop', BOTH],
          ['default', BOTH],
        ] as const) {
          await expect(t, namespace, [...hooks], () => tryPod(admin, namespace))
        }
      },
    )

    await t.test('what holds no images is not asked about', async (t) => {
      const lease = { metadata: { name: 'a', labels: { 'tagwarden.io/probe': 'tagwarden' } } }
      const leases = '/apis/coordination.k8s.io/v1/namespaces'
      for (const [title, path, object] of [
        ['a ConfigMap', '/api/v1/namespaces/shop/configmaps', { metadata: { name: 'a' } }],
        ['a Lease', `${leases}/shop/leases`, lease],
        ['a Lease of its own namespace', `${leases}/tagwarden/leases`, lease],
        ['a Namespace', '/api/v1/namespaces', { metadata: { name: 'new' } }],
      ] as const) {
        await expect(t, title, [], () => admin.call('POST', path, object))
      }
    })

    await t.test('the largest objects are seen: no condition grows with them', async (t) => {
      const merge = 'application/merge-patch+json'
      const many = (count: number, of: (index: number) => [string, unknown]) =>
        Object.fromEntries(Array.from({ length: count }, (_, index) => of(index)))
      const env = Array.from({ length: 30_000 }, (_, index) => ({ name: `E${index}` }))
      const containers = CONTAINERS.map((each) => ({ ...each, env }))
      const [path, content] = KINDS['Deployment']!
      const annotations = many(6_000, (index) => [`example.com/${index}`, 'x'.repeat(20)])
      const metadata = { name: 'large', annotations }
      const large = { metadata, ...content(containers) }
      const made = await expect(t, 'a large Deployment', BOTH, () =>
        admin.call('POST', path, large),
      )
      const { resourceVersion: _, ...rest } = made.metadata
      const same = { ...made, metadata: rest }
      await expect(t, 'as it was', [], () => admin.call('PUT', `${path}/large`, same))
      const other = content(containers.map((each) => ({ ...each, image: 'web:latest' })))
      await expect(t, 'changed', BOTH, () => admin.call('PATCH', `${path}/large`, other, merge))

      const [rollouts] = KINDS['Rollout']!
      const rollout = {
        apiVersion: 'example.com/v1beta1',
        kind: 'Rollout',
        metadata: { name: 'wide' },
        ...many(60_000, (index) => [`k${index}`, index]),
      }
      await expect(t, 'a wide custom object', BOTH, () => admin.call('POST', rollouts, rollout))
      const tool = { 'da/ta': { tool: 'b' } }
      await expect(t, 'with an image', BOTH, () =>
        admin.call('PATCH', `${rollouts}/wide`, tool, merge),
      )
    })
  },
)

async function prepare(admin: Admin, recorder: Recorder): Promise<void> {
  for (const name of ['kube-system', 'tagwarden', 'quiet', 'shop', 'default']) {
    await makeNamespace(admin, name)
  }
  const extensions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  for (const [plural, kind] of [
    ['rollouts', 'Rollout'],
    ['others', 'Other'],
  ] as const) {
    await admin.call('POST', extensions, customKind(plural, kind))
    const path = `/apis/example.com/v1/namespaces/shop/${plural}`
    await waitFor(async () => (await admin.call('GET', path)).status === 200, {
      what: `${plural} are served`,
    })
  }
  await admin.call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'nodes' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
  })
  const { mutating, validating } = webhookConfigurations(
    {
      ...installation({ url: recorder.url, excludedNamespaces: ['quiet'] }),
      fields: FIELDS,
    },
    OPEN,
    recorder.certificate.ca,
  )
  for (const [path, object] of [
    ['mutatingwebhookconfigurations', mutating],
    ['validatingwebhookconfigurations', validating],
  ] as const) {
    const { status, body } = await admin.call('POST', `${ADMISSION}/${path}`, object)
    if (status !== 201) throw new Error(String(body['message']))
  }
  await waitFor(
    async () => {
      recorder.take()
      await tryPod(admin, 'shop')
      return recorder.take().length === 2
    },
    { what: 'the API server calls both webhooks' },
  )
}
