import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse, stringify } from 'yaml'
import { CONTROL_PLANE, HELM, OPERATOR_CRDS, requireAsset, skipWithout } from '../cluster/assets.ts'
import { type ControlPlane, startControlPlane, waitFor } from '../cluster/control-plane.ts'
import { runKubectl } from '../cluster/kubectl.ts'
import { CHART, helm, NAMESPACE, objectsOf, only, type Rendered, render } from './helm.ts'
import { installWithoutPods } from './installation.ts'
import { VALUE_SETS } from './value_sets.ts'

const skip = skipWithout([...CONTROL_PLANE, HELM, OPERATOR_CRDS])
const OWN_CRDS = join(CHART, 'files/crds')
const ACCOUNT = `system:serviceaccount:${NAMESPACE}:tagwarden`

interface World {
  readonly cluster: ControlPlane
  /** Runs helm against the cluster; fails the test on another exit code than 0. */
  helm(...args: string[]): Promise<string>
  /** The same with kubectl, and what both of its streams say. */
  kubectl(args: string, input?: string): Promise<string>
}

async function startWorld(t: Test): Promise<World> {
  const cluster = await startControlPlane({ nodes: true })
  t.teardown(() => cluster.stop())
  const home = t.testdir()
  const world: World = {
    cluster,
    helm: async (...args) => {
      const { code, stdout, stderr } = await helm(
        [...args, '--kubeconfig', cluster.kubeconfig, '--namespace', NAMESPACE],
        { home },
      )
      if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`)
      return stdout + stderr
    },
    kubectl: async (args, input) => {
      const { code, stdout, stderr } = await cluster.kubectl(
        args.split(' '),
        input ? { input } : {},
      )
      if (code !== 0) throw new Error(`kubectl ${args}: ${stderr}`)
      return stdout + stderr
    },
  }
  await world.kubectl(
    'apply -f -',
    stringifyAll(['shop', 'billing', 'web', 'api'].map((name) => namespace(name))),
  )
  await world.kubectl('apply -f -', stringifyAll([namespace(NAMESPACE, 'restricted')]))
  return world
}

function namespace(name: string, level?: string): object {
  const labels = ['enforce', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, level])
  const metadata = { name, ...(level && { labels: Object.fromEntries(labels) }) }
  return { apiVersion: 'v1', kind: 'Namespace', metadata }
}

function stringifyAll(objects: readonly object[]): string {
  return objects.map((each) => stringify(each, { aliasDuplicateObjects: false })).join('---\n')
}

/** The pod that a Deployment makes. */
function podOf(deployment: Rendered): object {
  const { metadata, spec } = deployment['spec'].template
  const name = { name: 'tagwarden-0', namespace: NAMESPACE }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, ...name }, spec }
}

/** Fields of an object that the API server has not stored as they are given. */
function changedFields(given: unknown, stored: unknown, path = ''): string[] {
  if (typeof given !== 'object' || given === null) {
    return given === stored ? [] : [`${path}: ${given} is stored as ${JSON.stringify(stored)}`]
  }
  const fields = (stored ?? {}) as Record<string, unknown>
  const name = path || `${(given as Rendered).kind} ${(given as Rendered).metadata.name}`
  return Object.entries(given).flatMap(([field, value]) =>
    changedFields(value, fields[field], `${name}/${field}`),
  )
}

/** The chart as a former version had it: its kinds lacked a field. */
function formerChart(t: Test): string {
  const folder = t.testdir()
  cpSync(CHART, folder, { recursive: true })
  const edit = (path: string, change: (value: Rendered) => void) => {
    const value = parse(readFileSync(join(folder, path), 'utf8'))
    change(value)
    writeFileSync(join(folder, path), stringify(value))
  }
  edit('Chart.yaml', (chart) => Object.assign(chart, { version: '0.0.9', appVersion: '0.0.9' }))
  edit('files/crds/imagepolicies.yaml', (crd) => {
    const { spec } = crd['spec'].versions[0].schema.openAPIV3Schema.properties
    delete spec.properties.minimumAge
  })
  return folder
}

/** Each of these the service account may do, or not. */
const RIGHTS: readonly (readonly [may: boolean, verb: string, what: string, where?: string])[] = [
  [true, 'watch', 'imagepolicies.tagwarden.io'],
  [true, 'list', 'clusterimagepolicies.tagwarden.io'],
  [true, 'watch', 'imagepolicyexceptions.tagwarden.io'],
  [true, 'patch', 'imagepolicies.tagwarden.io/status'],
  [true, 'create', 'imagerepositories.tagwarden.io', 'shop'],
  [true, 'patch', 'imagerepositories.tagwarden.io/status', 'shop'],
  [true, 'watch', 'namespaces'],
  [true, 'create', 'events.events.k8s.io', 'shop'],
  [true, 'update', 'leases.coordination.k8s.io=tagwarden', NAMESPACE],
  [true, 'create', 'leases.coordination.k8s.io=tagwarden-probe', NAMESPACE],
  [false, 'create', 'leases.coordination.k8s.io', 'shop'],
  [true, 'update', 'secrets=tagwarden-certificates', NAMESPACE],
  [true, 'update', 'validatingwebhookconfigurations.admissionregistration.k8s.io=tagwarden'],
  [true, 'watch', 'mutatingwebhookconfigurations.admissionregistration.k8s.io=tagwarden'],
  [true, 'get', 'clusterroles.rbac.authorization.k8s.io=tagwarden'],
  [true, 'patch', 'deployments.apps', 'shop'],
  [true, 'patch', 'cronjobs.batch', 'shop'],
  [true, 'list', 'pods'],
  [true, 'list', 'replicasets.apps'],
  [true, 'update', 'reports.openreports.io', 'shop'],
  [true, 'delete', 'policyreports.wgpolicyk8s.io', 'shop'],
  [true, 'get', 'secrets', 'billing'],
  [true, 'get', 'secrets=regcred', 'web'],
  [false, 'get', 'secrets=other', 'web'],
  [false, 'list', 'secrets', 'web'],
  [false, 'list', 'serviceaccounts', 'web'],
  [true, 'list', 'serviceaccounts', 'billing'],
  [false, 'get', 'secrets', 'shop'],
  [false, 'list', 'secrets'],
  [false, 'list', 'secrets', NAMESPACE],
  [false, 'get', 'secrets=other', NAMESPACE],
  [false, 'update', 'leases.coordination.k8s.io=other', NAMESPACE],
  [false, 'update', 'validatingwebhookconfigurations.admissionregistration.k8s.io=other'],
  [false, 'list', 'validatingwebhookconfigurations.admissionregistration.k8s.io'],
  [false, 'update', 'imagepolicies.tagwarden.io', 'shop'],
  [false, 'update', 'imagerepositories.tagwarden.io', 'shop'],
  [false, 'delete', 'validatingwebhookconfigurations.admissionregistration.k8s.io=other'],
  [false, 'create', 'imagepolicyexceptions.tagwarden.io', 'shop'],
  [false, 'create', 'deployments.apps', 'shop'],
  [false, 'delete', 'deployments.apps', 'shop'],
  [false, 'patch', 'pods', 'shop'],
  [false, 'patch', 'reports.openreports.io', 'shop'],
  [false, 'create', 'pods', NAMESPACE],
  [false, 'update', 'clusterroles.rbac.authorization.k8s.io=tagwarden'],
  [false, 'escalate', 'clusterroles.rbac.authorization.k8s.io'],
  [false, 'update', 'customresourcedefinitions.apiextensions.k8s.io'],
]

function accessReview([, verb, what, where = '']: (typeof RIGHTS)[number], user = ACCOUNT): object {
  const [, full = '', name = ''] = /^([^=]*)=?(.*)$/.exec(what) ?? []
  const [type = '', subresource = ''] = full.split('/')
  const [resource, ...group] = type.split('.')
  const attributes = { namespace: where, verb, group: group.join('.'), resource, subresource, name }
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, resourceAttributes: attributes },
  }
}

t.test('on a real API server', { skip }, async (t) => {
  const { cluster, ...world } = await startWorld(t)

  await t.test('the kinds of a chart that is installed are upgraded with it', async (t) => {
    const former = formerChart(t)
    await world.helm(
      'install',
      'tagwarden',
      former,
      '--wait',
      '--timeout',
      '300s',
      '--set',
      'pullSecrets.namespaces={billing},pullSecrets.secrets={web/regcred}',
    )
    const field =
      'jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.minimumAge.type}'
    const crd = `get crd imagepolicies.tagwarden.io -o ${field}`
    t.equal(await world.kubectl(crd), '')
    const policy = {
      apiVersion: 'tagwarden.io/v1alpha1',
      kind: 'ImagePolicy',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { images: ['ghcr.io/acme/web'], order: { semver: { range: '>=1.0.0' } } },
    }
    await world.kubectl('apply -f -', stringify(policy))
    const ready = 'get deployment tagwarden -o jsonpath={.status.readyReplicas} -n'
    t.equal(await world.kubectl(`${ready} ${NAMESPACE}`), '3')

    const said = await world.helm(
      'upgrade',
      'tagwarden',
      CHART,
      '--reset-then-reuse-values',
      '--wait',
      '--timeout',
      '300s',
    )
    t.match(said, 'In three commands')
    t.equal(await world.kubectl(crd), 'string')
    t.equal(await world.kubectl(`${ready} ${NAMESPACE}`), '3')
    t.match(await world.kubectl('get imagepolicies -A'), /shop +web/)
    const pods = objectsOf(await world.kubectl(`get pods -n ${NAMESPACE} -o yaml`))[0]?.['items']
    t.ok(pods.length >= 3, 'the restricted standard is enforced, and they run')
  })

  await t.test('its account may do what it needs, and nothing else', async (t) => {
    const reviews = stringifyAll(RIGHTS.map((right) => accessReview(right)))
    const answers = objectsOf(await world.kubectl('create -f - -o yaml', reviews))
    const items = answers.flatMap((each) => each['items'] ?? [each])
    t.equal(items.length, RIGHTS.length)
    for (const [index, [may, verb, what, where = 'everywhere']] of RIGHTS.entries()) {
      t.equal(items[index].status.allowed ?? false, may, `${verb} ${what} in ${where}`)
    }
  })

  await t.test('who may edit a namespace may write its policies, not its exceptions', async (t) => {
    await world.kubectl('create rolebinding anna --clusterrole=edit --user=anna -n shop')
    const rows: typeof RIGHTS = [
      [true, 'create', 'imagepolicies.tagwarden.io', 'shop'],
      [true, 'get', 'imagepolicyexceptions.tagwarden.io', 'shop'],
      [false, 'create', 'imagepolicyexceptions.tagwarden.io', 'shop'],
      [false, 'create', 'imagepolicies.tagwarden.io', 'billing'],
      [false, 'create', 'clusterimagepolicies.tagwarden.io'],
      [false, 'patch', 'imagepolicies.tagwarden.io/status', 'shop'],
    ]
    // A controller gathers the rules of aggregated roles.
    await waitFor(
      async () => {
        const [first] = rows
        const answer = await world.kubectl(
          'create -f - -o yaml',
          stringify(accessReview(first!, 'anna')),
        )
        return answer.includes('allowed: true')
      },
      { what: 'edit includes tagwarden-edit' },
    )
    const reviews = stringifyAll(rows.map((right) => accessReview(right, 'anna')))
    const answers = objectsOf(await world.kubectl('create -f - -o yaml', reviews))
    const items = answers.flatMap((each) => each['items'] ?? [each])
    for (const [index, [may, verb, what]] of rows.entries()) {
      t.equal(items[index].status.allowed ?? false, may, `${verb} ${what}`)
    }
  })

  await t.test('helm test succeeds when its pod does', async (t) => {
    const running = world.helm('test', 'tagwarden', '--timeout', '300s')
    // Nothing really runs on the fake node: what the script does is tried in helm_test.test.ts.
    const pod = ['pod', 'tagwarden-test', '-n', NAMESPACE]
    await waitFor(async () => (await cluster.kubectl(['get', ...pod])).code === 0, {
      what: 'helm test makes its pod',
    })
    const status = JSON.stringify({ status: { phase: 'Succeeded' } })
    await waitFor(
      async () => {
        await cluster.kubectl([
          'patch',
          ...pod,
          '--subresource=status',
          '--type=merge',
          '-p',
          status,
        ])
        return (await cluster.kubectl(['get', ...pod])).code !== 0
      },
      { what: 'helm test removes its pod' },
    )
    t.match(await running, /Phase: +Succeeded/)
  })

  await t.test(
    'uninstall takes the webhook configurations along, and leaves the policies',
    async (t) => {
      const owner = await world.kubectl('get clusterrole tagwarden -o jsonpath={.metadata.uid}')
      const webhook = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: {
          name: 'tagwarden',
          ownerReferences: [
            {
              apiVersion: 'rbac.authorization.k8s.io/v1',
              kind: 'ClusterRole',
              name: 'tagwarden',
              uid: owner,
            },
          ],
        },
        webhooks: [],
      }
      await world.kubectl(`create --as=${ACCOUNT} -f -`, stringify(webhook))
      await world.helm('uninstall', 'tagwarden', '--wait')
      await waitFor(
        async () =>
          (await cluster.kubectl(['get', 'validatingwebhookconfiguration', 'tagwarden'])).code !==
          0,
        { what: 'the webhook configuration is gone' },
      )
      t.match(await world.kubectl('get imagepolicies -A'), /shop +web/)
      const kinds =
        'clusterrole,clusterrolebinding,all,configmap,role,rolebinding,pdb,serviceaccount'
      let left = ''
      // ReplicaSets and pods are collected after the Deployment.
      const isBare = async () => {
        const label = '-l app.kubernetes.io/instance=tagwarden'
        left = await world.kubectl(`get ${kinds} -A ${label} -o name`)
        return left.replace(/^No resources found\n?/, '').replace(/^pod\/.*\n/gm, '') === ''
      }
      await waitFor(isBare, { what: 'nothing else of it is left' }).catch((error) => {
        throw new Error(`${error.message}\n${left}`)
      })
      await world.helm('install', 'tagwarden', CHART)
      t.match(
        await world.kubectl('get imagepolicies -A'),
        /shop +web/,
        'a later install finds them',
      )
      await world.helm('uninstall', 'tagwarden')
      await world.kubectl(
        'annotate crd --all meta.helm.sh/release-name- meta.helm.sh/release-namespace-',
      )
      await t.rejects(world.helm('install', 'tagwarden', CHART), { message: /invalid ownership/ })
      await world.helm('install', 'tagwarden', CHART, '--take-ownership')
      await world.helm('uninstall', 'tagwarden')
    },
  )

  await t.test('a program outside the cluster can have the rights of its pods', async (t) => {
    const { kubeconfig, name, namespace } = await installWithoutPods(cluster)
    const as = (args: string) => runKubectl(kubeconfig, args.split(' '))
    t.match(name, 'tagwarden')
    t.match(await as(`get imagepolicies -A`), { code: 0 })
    const refused = await as(`get secrets -n ${namespace}`)
    t.match(refused, { code: 1, stderr: /User "system:serviceaccount:tagwarden-system:tagwarden"/ })
  })

  await t.test('the API server takes all that each set of values gives', async (t) => {
    await world.kubectl(`apply --server-side -f ${requireAsset(OPERATOR_CRDS)}`)
    await world.kubectl(`apply --server-side --force-conflicts -f ${OWN_CRDS}`)
    for (const [title, values] of Object.entries(VALUE_SETS)) {
      const objects = await render(values)
      const all = [...objects, podOf(only(objects, 'Deployment'))]
      // A dry run makes no account for the pod beside it.
      const account = { apiVersion: 'v1', kind: 'ServiceAccount' }
      const name = only(objects, 'Deployment')['spec'].template.spec.serviceAccountName
      await cluster.kubectl(['create', '-f', '-'], {
        input: stringify({ ...account, metadata: { name, namespace: NAMESPACE } }),
      })
      const { code, stdout, stderr } = await cluster.kubectl(
        [
          ...['apply', '--server-side', '--force-conflicts', '--dry-run=server'],
          ...['--validate=strict', '-o', 'json', '-f', '-'],
        ],
        { input: stringifyAll(all) },
      )
      t.equal(code, 0, `${title}: ${stderr}`)
      t.notMatch(stderr, /PodSecurity|unknown field|Warning/, title)
      const stored = JSON.parse(stdout).items as Rendered[]
      t.equal(stored.length, all.length, `${title}: ${all.length} objects`)
      // What it writes otherwise, Argo CD would show as drift for ever.
      t.strictSame(
        all.flatMap((object, index) => changedFields(object, stored[index])),
        [],
        `${title}: each field is kept as it is given`,
      )
    }
  })
})
