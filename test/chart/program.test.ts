import t from 'tap'
import { secretStore } from '../../src/certificates/cluster.ts'
import { LOOPBACK, openCertificates, serviceNames } from '../../src/certificates/index.ts'
import {
  DEPLOYMENTS,
  electLeader,
  IMAGE_POLICIES,
  IMAGE_REPOSITORIES,
  type KubernetesObject,
  openCluster,
  SECRETS,
} from '../../src/cluster/index.ts'
import { openPolicyCluster } from '../../src/sources/cluster.ts'
import { createProbeHandlers, startWebhookController } from '../../src/webhooks/index.ts'
import { CONTROL_PLANE, HELM, skipWithout } from '../cluster/assets.ts'
import { startControlPlane, waitFor } from '../cluster/control-plane.ts'
import { startServer } from '../server/fixture.ts'
import { CLUSTER_SETTINGS, SETTINGS } from '../webhooks/stage.ts'
import { installWithoutPods } from './installation.ts'

const skip = skipWithout([...CONTROL_PLANE, HELM])
const SHOP = { namespace: 'shop', name: 'web' }

function failure(act: Promise<unknown>): Promise<unknown> {
  return act.catch((error: unknown) => error)
}

function policy(): KubernetesObject {
  return {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImagePolicy',
    metadata: SHOP,
    spec: { images: ['ghcr.io/acme/web'], order: { semver: { range: '>=1.0.0' } } },
  } as KubernetesObject
}

t.test("the parts of the program do their work with the chart's rights", { skip }, async (t) => {
  const plane = await startControlPlane()
  t.teardown(() => plane.stop())
  const { kubeconfig, namespace, name } = await installWithoutPods(plane)
  const admin = await openCluster({ kubeconfig: plane.kubeconfig })
  const cluster = await openCluster({ kubeconfig, namespace })
  t.teardown(() => Promise.all([admin.close(), cluster.close()]))
  await plane.kubectl(['create', 'namespace', 'shop'])
  const log = { info() {}, warn() {} } as never

  await t.test('it makes its certificate in the Secret that the chart lets it read', async (t) => {
    const store = secretStore({ cluster, namespace, name: `${name}-certificates` })
    const names = [...LOOPBACK, ...serviceNames(name, namespace)]
    const certificates = await openCertificates({ store, names })
    t.teardown(() => certificates.close())
    const secret = await admin.get(SECRETS, { namespace, name: `${name}-certificates` })
    t.ok(secret, 'as ServiceMonitor and helm test expect it')

    await t.test('it is elected, registers itself, and proves that it is called', async (t) => {
      const { url } = await startServer(t, { certificates, handlers: createProbeHandlers() })
      const settings = { ...CLUSTER_SETTINGS, name, webhooks: { ...SETTINGS, url } }
      const policies = { current: () => ({ policies: [] }), subscribe: () => () => {} }
      let alive = false
      const election = electLeader(cluster, {
        ...{ namespace, name, identity: 'test', leaseDuration: 15_000 },
        onLeading: (signal) =>
          startWebhookController({
            ...{ cluster, settings, namespace, policies, fields: [], certificates, log, signal },
            onProbe: ({ problem }) => {
              alive = problem === undefined
            },
          }).ended,
      })
      t.teardown(() => election.release())
      await waitFor(() => alive, { what: 'the API server calls the webhooks' })
      for (const kind of ['mutating', 'validating']) {
        const { stdout } = await plane.kubectl([
          ...['get', `${kind}webhookconfiguration`, name],
          ...[
            '-o',
            'jsonpath={.metadata.ownerReferences[0].kind}/{.metadata.ownerReferences[0].name}',
          ],
        ])
        t.equal(stdout, `ClusterRole/${name}`, 'it goes when the chart goes')
      }
    })
  })

  await t.test(
    'it follows policies and namespaces, and writes what it knows of them',
    async (t) => {
      await admin.create(IMAGE_POLICIES, policy())
      const source = await openPolicyCluster({ cluster })
      t.teardown(() => source.close())
      await source.synced
      t.equal(source.current().policies.length, 1)
      const body = { status: { newest: 'v1.0.0' } }
      await cluster.patch(IMAGE_POLICIES, SHOP, { type: 'merge', body }, { subresource: 'status' })
      const title = { metadata: { labels: { a: 'b' } } }
      const change = cluster.patch(IMAGE_POLICIES, SHOP, { type: 'merge', body: title })
      t.match(await failure(change), { reason: 'Forbidden' })
    },
  )

  await t.test('it makes, reports on and removes ImageRepositories', async (t) => {
    const repository = {
      apiVersion: 'tagwarden.io/v1alpha1',
      kind: 'ImageRepository',
      metadata: SHOP,
      spec: { image: 'ghcr.io/acme/web' },
    } as KubernetesObject
    await cluster.create(IMAGE_REPOSITORIES, repository)
    const body = { status: { tagCount: 1 } }
    const patch = { type: 'merge', body } as const
    await cluster.patch(IMAGE_REPOSITORIES, SHOP, patch, { subresource: 'status' })
    t.equal(await cluster.remove(IMAGE_REPOSITORIES, SHOP), true)
  })

  await t.test('it promotes workloads, but makes and removes none', async (t) => {
    await plane.kubectl([
      'create',
      'deployment',
      'web',
      '--image=ghcr.io/acme/web:v1',
      '-n',
      'shop',
    ])
    const body = { metadata: { annotations: { 'tagwarden.io/images': '[]' } } }
    await cluster.patch(DEPLOYMENTS, SHOP, { type: 'merge', body })
    for await (const page of cluster.pages(DEPLOYMENTS)) t.equal(page.length, 1)
    t.match(await failure(cluster.remove(DEPLOYMENTS, SHOP)), { reason: 'Forbidden' })
  })
})
