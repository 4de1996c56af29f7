import t from 'tap'
import {
  MUTATING_WEBHOOK_CONFIGURATIONS as MUTATING,
  openCluster,
  type ResourceName,
  VALIDATING_WEBHOOK_CONFIGURATIONS as VALIDATING,
} from '../../src/cluster/index.ts'
import { createProbeHandlers } from '../../src/webhooks/index.ts'
import type { WebhookConfiguration } from '../../src/webhooks/types.ts'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { type ControlPlane, startControlPlane, waitFor } from '../cluster/control-plane.ts'
import { readPage } from '../docs/pages.ts'
import { closing, lead, SECRET } from './replica.ts'
import { adminOf, CONTAINERS, makeNamespace, startRecorder, tryPod } from './stage.ts'

const RBAC = 'rbac.authorization.k8s.io/v1'

const ROLE_RULES = [
  {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    verbs: ['create'],
  },
  {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    resourceNames: ['tagwarden'],
    verbs: ['get', 'list', 'watch', 'update'],
  },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['clusterroles'],
    resourceNames: ['tagwarden'],
    verbs: ['get'],
  },
]
const NAMESPACE_RULES = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  {
    apiGroups: [''],
    resources: ['secrets'],
    resourceNames: [SECRET.name],
    verbs: ['get', 'list', 'watch', 'update', 'patch'],
  },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
]

t.test(
  'webhook configurations on a real API server, with least rights',
  { skip: skipWithoutControlPlane() },
  async (t) => {
    const plane = await startControlPlane({ nodes: true })
    t.teardown(() => plane.stop())
    const admin = adminOf(t, plane)
    for (const name of ['tagwarden', 'shop', 'other']) await makeNamespace(admin, name)
    const kubectl = async (...args: string[]) => {
      const { code, stdout, stderr } = await plane.kubectl(args)
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
      return stdout
    }
    const kubeconfig = await leastRights(plane)
    const cluster = await openCluster({ kubeconfig })
    t.teardown(() => cluster.close())
    const everything = await openCluster({ kubeconfig: plane.kubeconfig })
    t.teardown(() => everything.close())
    const read = async (resource: ResourceName) =>
      everything.get<WebhookConfiguration>(resource, { name: 'tagwarden' })
    const webhooks = async () => (await read(VALIDATING))?.webhooks?.map(({ name }) => name) ?? []
    const soon = (what: string, is: () => Promise<boolean>) => waitFor(is, { what })

    const recorder = await startRecorder(t, createProbeHandlers())
    const leader = await lead(t, cluster, { url: recorder.url, probeInterval: 1_000 })
    recorder.serve(leader.certificates.current())
    const alive = () => leader.controller.probe().problem === undefined

    await t.test('they are made, and the API server proves that it calls both', async (t) => {
      await waitFor(() => leader.controller.probe().aliveSince !== undefined, {
        what: 'the probe passes',
      })
      t.equal(leader.controller.problem(), undefined)
      t.match(leader.lines.join('\n'), /the API server calls Tagwarden/)
      recorder.take()
      const { status } = await tryPod(admin, 'shop')
      t.equal(status, 201)
      t.strictSame(recorder.take(), ['mutate', 'validate'])
      t.equal((await kubectl('get', 'lease', '-n', 'tagwarden', '-o', 'name')).trim(), '')
      await waitFor(() => leader.certificates.trusted(), { what: 'trusted' })
    })

    await t.test('what the API server fills in is no difference', async (t) => {
      const before = await Promise.all([read(MUTATING), read(VALIDATING)])
      leader.policies.set([])
      const last = leader.controller.probe().lastProbe
      await waitFor(() => leader.controller.probe().lastProbe !== last, {
        what: 'another probe',
      })
      const after = await Promise.all([read(MUTATING), read(VALIDATING)])
      t.strictSame(after, before)
      t.equal(after[0]?.metadata.generation, 1)
    })

    await t.test('edits and deletions with kubectl are put right', async (t) => {
      const target = 'validatingwebhookconfiguration/tagwarden'
      const patch = (body: string) => kubectl('patch', target, '--type=json', '-p', body)
      await patch('[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Fail"}]')
      await soon('the failurePolicy is back', async () => {
        const now = await read(VALIDATING)
        return now?.webhooks?.[0]?.failurePolicy === 'Ignore'
      })
      await patch('[{"op":"remove","path":"/webhooks/0"}]')
      await soon('the webhook is back', async () => (await webhooks()).length === 3)
      await patch('[{"op":"replace","path":"/webhooks/0/clientConfig/caBundle","value":"Cg=="}]')
      await soon('the CA is back', async () => {
        const caBundle = (await read(VALIDATING))?.webhooks?.[0]?.clientConfig.caBundle ?? ''
        return Buffer.from(caBundle, 'base64').toString() === leader.certificates.current().ca
      })
      await kubectl('delete', 'mutatingwebhookconfiguration', 'tagwarden')
      await soon('it is made again', async () => (await read(MUTATING)) !== undefined)
      t.equal(leader.controller.problem(), undefined)
    })

    await t.test('a deleted Secret is made again with the same CA', async (t) => {
      const before = leader.certificates.current()
      await kubectl('-n', 'tagwarden', 'delete', 'secret', SECRET.name)
      await soon('it is there', async () => {
        const { code } = await plane.kubectl(['-n', 'tagwarden', 'get', 'secret', SECRET.name])
        return code === 0
      })
      t.equal(leader.certificates.current().cert, before.cert)
      await leader.certificates.refresh()
      t.ok(leader.certificates.trusted())
    })

    await t.test('with no replica: closed namespaces deny, all others go on', async (t) => {
      leader.policies.set([closing('shop')])
      await soon('shop is closed', async () =>
        (await webhooks()).includes('closed.validate.tagwarden.io'),
      )
      await waitFor(alive, { what: 'the probe passes' })
      await recorder.stop()
      await waitFor(async () => (await tryPod(admin, 'shop')).status === 500, {
        what: 'a pod is refused',
      })
      const denied = await tryPod(admin, 'shop')
      t.match(
        denied.body['message'],
        /failed calling webhook "closed\.(?:mutate|validate)\.tagwarden\.io"/,
      )
      for (const namespace of ['other', 'kube-system', 'tagwarden']) {
        t.equal((await tryPod(admin, namespace)).status, 201, namespace)
      }
      const listed = await kubectl(...emergency('jsonpath={range .webhooks'))
      t.match(listed, /closed\.validate\.tagwarden\.io\t.*"shop"/)
      await waitFor(() => leader.events.some(({ reason }) => reason === 'WebhookNotCalled'), {
        what: 'the probe tells',
      })
      t.match(leader.controller.probe().problem, /failed calling webhook "probe\.tagwarden\.io"/)
      t.match(leader.controller.probe().problem, /connection refused/)
      t.strictSame((await webhooks()).length, 4, 'nothing is removed')
      t.match(await kubectl(...emergency('--show-managed-fields')), /WebhookConfiguration\t/)
    })

    await t.test('the documented commands work, and open everything again', async (t) => {
      await leader.stop()
      await admin.call('POST', '/apis/apps/v1/namespaces/tagwarden/deployments', {
        metadata: { name: 'tagwarden' },
        spec: {
          selector: { matchLabels: { app: 'tagwarden' } },
          template: {
            metadata: { labels: { app: 'tagwarden' } },
            spec: { containers: CONTAINERS },
          },
        },
      })
      // A fake node has no logs.
      const commands = emergencyCommands().filter((args) => !args.includes('logs'))
      t.ok(commands.length >= 6)
      // The one that deletes goes last: the others look at what there is.
      const ordered = commands.toSorted((one, other) => order(one) - order(other))
      for (const args of ordered) await kubectl(...args)
      await waitFor(async () => (await tryPod(admin, 'shop')).status === 201, {
        what: 'a pod is let in',
      })
      t.equal(await read(MUTATING), undefined)
      t.equal(await read(VALIDATING), undefined)
    })

    await t.test('with the ClusterRole, Kubernetes deletes both, and they stay away', async (t) => {
      const next = await lead(t, cluster, { url: recorder.url })
      await waitFor(() => next.controller.problem() === undefined, {
        what: 'right',
      })
      await kubectl('delete', 'clusterrole', 'tagwarden')
      await waitFor(async () => !(await read(MUTATING)) && !(await read(VALIDATING)), {
        what: 'both are gone',
      })
      await waitFor(() => next.controller.problem() !== undefined, {
        what: 'told',
      })
      t.equal(await read(MUTATING), undefined)
      t.equal(await read(VALIDATING), undefined)
    })
  },
)

/** The arguments of every kubectl command of the emergency page, for the namespace of this test. */
function emergencyCommands(): string[][] {
  return readPage('docs/emergency.md')
    .blocks.flatMap(({ text }) => text.split('\n'))
    .filter((line) => line.startsWith('kubectl '))
    .map((line) =>
      [...line.replaceAll('tagwarden-system', 'tagwarden').matchAll(/(?:'[^']*'|[^\s'])+/g)]
        .slice(1)
        .map(([word]) => word.replaceAll("'", '')),
    )
}

/** The arguments of the one that has this text. */
function emergency(part: string): string[] {
  const command = emergencyCommands().find((args) => args.join(' ').includes(part))
  if (command === undefined) throw new Error(`no command has ${part}`)
  return command
}

const order = (args: readonly string[]) => (args[0] === 'delete' ? 1 : 0)

/** A kubeconfig of a service account that may do what the controller needs, and nothing else. */
async function leastRights(plane: ControlPlane): Promise<string> {
  const input = JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: RBAC, kind: 'ClusterRole', metadata: { name: 'tagwarden' }, rules: ROLE_RULES },
      {
        apiVersion: RBAC,
        kind: 'Role',
        metadata: { name: 'tagwarden', namespace: 'tagwarden' },
        rules: NAMESPACE_RULES,
      },
      ...(['ClusterRoleBinding', 'RoleBinding'] as const).map((kind) => ({
        apiVersion: RBAC,
        kind,
        metadata: { name: 'tagwarden', ...(kind === 'RoleBinding' && { namespace: 'tagwarden' }) },
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: kind.replace('Binding', ''),
          name: 'tagwarden',
        },
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'tagwarden' }],
      })),
    ],
  })
  const made = await plane.kubectl(['create', '-f', '-'], { input })
  if (made.code !== 0) throw new Error(made.stderr)
  return plane.kubeconfigFor('tagwarden', 'default')
}
