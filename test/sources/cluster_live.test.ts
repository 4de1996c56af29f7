import t, { type Test } from 'tap'
import { createPolicyReviewHandler } from '../../src/admission/index.ts'
import { createCatalog } from '../../src/catalog/index.ts'
import {
  type Cluster,
  IMAGE_POLICY_EXCEPTIONS,
  type KubernetesObject,
  openCluster,
} from '../../src/cluster/index.ts'
import { compilePolicies } from '../../src/policies/index.ts'
import { RESOURCES } from '../../src/policies/schema/resources.ts'
import type { ScanListener } from '../../src/scanner/index.ts'
import { openPolicyCluster, readPoliciesInForce } from '../../src/sources/cluster.ts'
import type { PolicySource } from '../../src/sources/index.ts'
import { startPolicyStatus } from '../../src/status/index.ts'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { type ControlPlane, startControlPlane, waitFor } from '../cluster/control-plane.ts'
import { installKinds } from '../cluster/kinds.ts'
import { ALLOW, startServer } from '../server/fixture.ts'
import { clusterImagePolicy, imagePolicy } from './cluster.ts'

const skip = skipWithoutControlPlane()

interface World {
  readonly plane: ControlPlane
  readonly cluster: Cluster
  readonly source: PolicySource
  scan(key: string, tags: readonly string[]): void
  /** Applies objects; gives what kubectl said. */
  apply(...objects: readonly object[]): Promise<string>
  kubectl(...args: string[]): Promise<string>
}

/** A control plane with the CRDs, a replica that follows and leads, and its hook for them. */
async function startWorld(t: Test): Promise<World> {
  const plane = await startControlPlane()
  t.teardown(() => plane.stop())
  const kubectl = async (...args: string[]) => {
    const { stdout, stderr } = await plane.kubectl(args)
    return stdout + stderr
  }
  const apply = async (...objects: readonly object[]) => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    const { stdout, stderr } = await plane.kubectl(['apply', '-f', '-'], { input })
    return stdout + stderr
  }
  await installKinds(plane)
  await kubectl('create', 'namespace', 'shop')

  const cluster = await openCluster({ kubeconfig: plane.kubeconfig })
  t.teardown(() => cluster.close())
  const source = await openPolicyCluster({ cluster })
  t.teardown(() => source.close())
  await source.synced
  const catalog = createCatalog()
  const listeners = new Set<ScanListener>()
  const onScanned = (listener: ScanListener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const leading = new AbortController()
  const statuses = startPolicyStatus({
    cluster,
    policies: source,
    catalog,
    scanner: { onScanned, onForgotten: () => () => {} },
  })
  const over = statuses.lead(leading.signal)
  t.teardown(async () => {
    leading.abort()
    await over
  })
  const handlers = {
    mutate: ALLOW,
    validate: ALLOW,
    policies: createPolicyReviewHandler({ policies: source.current }),
  }
  const { url, certificates } = await startServer(t, { handlers })
  await apply(hook(url, certificates.current().ca))
  const wrong = imagePolicy('wrong', { order: { semver: { range: '>=banana' } } })
  const refused = async () => {
    const args = ['create', '--dry-run=server', '-f', '-']
    const { stderr } = await plane.kubectl(args, { input: JSON.stringify(wrong) })
    return stderr.includes('denied the request')
  }
  await waitFor(refused, { what: 'the API server calls the hook' })
  const scan = (key: string, tags: readonly string[]) => {
    catalog.recordTags(key, tags, Date.now())
    for (const listener of listeners) listener(key, catalog.get(key), undefined)
  }
  return { plane, cluster, source, scan, apply, kubectl }
}

function hook(url: string, ca: string): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'tagwarden' },
    webhooks: [
      {
        name: 'policies.tagwarden.io',
        admissionReviewVersions: ['v1'],
        clientConfig: {
          url: `${url}/policies`,
          caBundle: Buffer.from(ca).toString('base64'),
        },
        rules: [
          {
            apiGroups: ['tagwarden.io'],
            apiVersions: ['v1alpha1'],
            resources: RESOURCES.map(({ plural }) => plural),
            operations: ['CREATE', 'UPDATE'],
          },
        ],
        failurePolicy: 'Fail',
        sideEffects: 'None',
      },
    ],
  }
}

/** As much of a CRD of Flux as its objects need. */
function fluxCrd(kind: string, plural: string, version: string): object {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.image.toolkit.fluxcd.io` },
    spec: {
      group: 'image.toolkit.fluxcd.io',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: open, status: open } } },
        },
      ],
    },
  }
}

t.test('policies that live in a cluster', { skip }, async (t) => {
  const { cluster, source, scan, apply, kubectl } = await startWorld(t)
  const rangeOf = (title: string) =>
    source.current().policies.find((policy) => policy.title === title)?.selector.description
  const until = (what: string, holds: () => boolean | Promise<boolean>) =>
    waitFor(async () => holds(), { what })

  await t.test('a policy is in force within a second of kubectl apply', async (t) => {
    t.match(await apply(imagePolicy('web')), /web created/)
    await until('it counts', () => rangeOf('ImagePolicy shop/web') === 'semver 1.x')
    // A busy machine may hold up one change, not each of them.
    const took: number[] = []
    for (const range of ['2.x', '3.x', '>=1.2.3 <2.0.0']) {
      await apply(imagePolicy('web', { order: { semver: { range } } }))
      const made = performance.now()
      await until(`${range} counts`, () => rangeOf('ImagePolicy shop/web') === `semver ${range}`)
      took.push(Math.round(performance.now() - made))
    }
    t.ok(Math.min(...took) < 1_000, `${took} ms`)
  })

  await t.test('kubectl get shows images, order, newest, age of the fact and ready', async (t) => {
    const waiting = () => kubectl('get', 'imagepolicies', '-A')
    await until('it waits', async () => /Unknown/.test(await waiting()))
    scan('ghcr.io/acme/web', ['v1.4.2', 'v1.4.1', 'v2.0.0'])
    await until('it is ready', async () => /True/.test(await waiting()))
    const [head = '', row = ''] = (await waiting()).split('\n')
    t.match(head, /^NAMESPACE +NAME +IMAGES +ORDER +NEWEST +SEEN +READY +AGE$/)
    t.match(
      row,
      /^shop +web +\["ghcr\.io\/acme\/web"\] +semver >=1\.2\.3 <2\.0\.0 +v1\.4\.2 +\d+s +True +\d+s$/,
    )
    t.match(
      await kubectl('get', 'twp', '-n', 'shop', '-o', 'wide'),
      /the newest permitted tag of ghcr\.io\/acme\/web is v1\.4\.2/,
    )
    t.match(
      await kubectl(
        'wait',
        '--for=condition=Ready',
        '-n',
        'shop',
        'imagepolicy/web',
        '--timeout=60s',
      ),
      /condition met/,
    )
  })

  await t.test(
    'what the CRDs let through is refused by the hook, in the words of a file',
    async (t) => {
      const wrong = imagePolicy('web', { order: { semver: { range: '>=banana' } } })
      const said = await apply(wrong)
      t.match(
        said,
        /admission webhook "policies\.tagwarden\.io" denied the request: ImagePolicy shop\/web is wrong:\n {2}spec\.order\.semver\.range: .*banana/,
      )
      t.equal(rangeOf('ImagePolicy shop/web'), 'semver >=1.2.3 <2.0.0')
      const rival = imagePolicy('rival', {
        images: ['ghcr.io/acme/web'],
        order: { semver: { range: '*' } },
      })
      t.match(await apply(rival), /Warning: spec\.images: ImagePolicy shop\/web is as specific/)
      await kubectl('delete', '-n', 'shop', 'imagepolicy/rival')
    },
  )

  await t.test(
    'a wrong one that slips past the hook leaves the version before in force',
    async (t) => {
      await kubectl('delete', 'validatingwebhookconfiguration', 'tagwarden')
      await until('the hook is gone', async () =>
        /configured/.test(
          await apply(imagePolicy('web', { order: { semver: { range: 'banana' } } })),
        ),
      )
      const ready = () =>
        kubectl(
          ...['get', '-n', 'shop', 'imagepolicy/web', '-o'],
          'jsonpath={.status.conditions[?(@.type=="Ready")].reason}',
        )
      await until('it is told', async () => (await ready()) === 'InvalidPolicy')
      t.equal(rangeOf('ImagePolicy shop/web'), 'semver >=1.2.3 <2.0.0')
      t.match(
        await kubectl('describe', '-n', 'shop', 'imagepolicy/web'),
        /Until then generation 4 stays in force/,
      )
      const late = await openPolicyCluster({ cluster })
      t.teardown(() => late.close())
      await late.synced
      t.equal(
        late.current().policies.find(({ title }) => title === 'ImagePolicy shop/web')?.selector
          .description,
        'semver >=1.2.3 <2.0.0',
        'a replica that starts now decides as its peers',
      )
      const audited = await readPoliciesInForce(cluster)
      t.match(audited.problems, [{ message: /banana.*generation 4 stays in force/ }])
      t.equal(
        compilePolicies(audited.resources).set.policies.find(({ name }) => name === 'web')?.selector
          .description,
        'semver >=1.2.3 <2.0.0',
        'and so does an audit',
      )
      await apply(imagePolicy('web'))
      await until('it is right again', async () => (await ready()) === 'Accepted')
      const rest = await kubectl('get', '-n', 'shop', 'imagepolicy/web', '-o', 'yaml')
      t.notMatch(rest, /inForce/, 'there is no other version then')
      await kubectl('delete', '-n', 'shop', 'imagepolicy/web')
      await until('it is gone', () => rangeOf('ImagePolicy shop/web') === undefined)
    },
  )

  await t.test('an exception shows when it ends', async (t) => {
    type Exception = KubernetesObject & { status?: { expired?: boolean } }
    const seen: (boolean | undefined)[] = []
    const upsert = ({ status }: Exception) => void seen.push(status?.expired)
    const handlers = { upsert, remove: () => {} }
    const watching = cluster.watch<Exception>(IMAGE_POLICY_EXCEPTIONS, {}, handlers)
    await watching.synced
    const expires = new Date(Date.now() + 5_000).toISOString().replace(/\.\d+Z/, 'Z')
    await cluster.create(IMAGE_POLICY_EXCEPTIONS, {
      metadata: { name: 'old', namespace: 'shop' },
      spec: { images: ['ghcr.io/acme/web'], reason: 'OPS-1', expires },
    } as KubernetesObject)
    const row = async () => (await kubectl('get', 'twx', '-n', 'shop', '--no-headers')).trim()
    await until('it ends by itself', async () => /OPS-1 .* true +True/.test(await row()))
    await until('that is seen', () => seen.at(-1) === true)
    t.strictSame(
      seen.filter((expired, index) => expired !== undefined && expired !== seen[index - 1]),
      [false, true],
    )
    await watching.close()
  })

  await t.test('policies of Flux count once its CRDs are there, of either version', async (t) => {
    const crds = (version: string) => [
      fluxCrd('ImageRepository', 'imagerepositories', version),
      fluxCrd('ImagePolicy', 'imagepolicies', version),
    ]
    const pair = (version: string) => {
      const head = { apiVersion: `image.toolkit.fluxcd.io/${version}` }
      const metadata = { name: 'flux', namespace: 'shop' }
      return [
        { ...head, kind: 'ImageRepository', metadata, spec: { image: 'ghcr.io/acme/flux' } },
        {
          ...head,
          kind: 'ImagePolicy',
          metadata,
          spec: { imageRepositoryRef: { name: 'flux' }, policy: { semver: { range: '3.x' } } },
        },
      ]
    }
    const names = ['imagerepositories', 'imagepolicies'].map(
      (plural) => `crd/${plural}.image.toolkit.fluxcd.io`,
    )
    for (const version of ['v1beta2', 'v1']) {
      await apply(...crds(version))
      await kubectl('wait', '--for=condition=Established', '--timeout=120s', ...names)
      await until('the objects are made', async () =>
        /imagepolicy.* (created|unchanged)/.test(await apply(...pair(version))),
      )
      const counts = () => rangeOf('ImagePolicy shop/flux') === 'semver 3.x'
      await until(`${version} counts`, counts)
      await kubectl('delete', ...names)
      await until('they are gone', () => rangeOf('ImagePolicy shop/flux') === undefined)
    }
    t.pass()
  })

  await t.test(
    'labels of namespaces are known at once; one that ends takes nothing else along',
    async (t) => {
      await apply(clusterImagePolicy('base'))
      const made = kubectl('create', 'namespace', 'late')
      await made
      t.match(await source.namespaceLabels('late'), { 'kubernetes.io/metadata.name': 'late' })
      await kubectl('delete', 'namespace', 'shop', '--wait=false')
      await until('it ends', async () => /Terminating/.test(await kubectl('get', 'ns', 'shop')))
      await until('the others count', () => rangeOf('ClusterImagePolicy base') === 'semver 1.x')
      await until('nothing more is made there', async () =>
        /because it is being terminated/.test(await apply(imagePolicy('web'))),
      )
      t.strictSame(source.problems(), [])
    },
  )
})
