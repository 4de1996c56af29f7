import t, { type Test } from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { openCluster } from '../../src/cluster/index.ts'
import { compilePolicies, parsePolicies } from '../../src/policies/index.ts'
import { createRegistryClient } from '../../src/registry/index.ts'
import { startRepositories } from '../../src/repositories/index.ts'
import { createScanner } from '../../src/scanner/index.ts'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { type ControlPlane, startControlPlane, waitFor } from '../cluster/control-plane.ts'
import { installKinds } from '../cluster/kinds.ts'
import { startFakeRegistry } from '../fakes/registry.ts'

const skip = skipWithoutControlPlane()

/** One process of several. */
async function startReplica(_t: Test, plane: ControlPlane, host: string, policy: string) {
  const cluster = await openCluster({ kubeconfig: plane.kubeconfig, namespace: 'tagwarden' })
  const catalog = createCatalog()
  const client = createRegistryClient({ settings: [{ host, insecure: true }] })
  const scanner = createScanner({ catalog, client, interval: 600_000 })
  const set = compilePolicies(parsePolicies(policy, 'f.yaml').resources).set
  const log: string[] = []
  const note = (_: object, message: string) => void log.push(message)
  const repositories = startRepositories({
    cluster,
    catalog,
    scanner,
    namespace: 'tagwarden',
    policies: () => set,
    secrets: {
      repositoryAccess: (namespace, { secretRef }) =>
        secretRef
          ? {
              id: `${namespace}/${secretRef.name}`,
              problem: `there is no Secret ${namespace}/${secretRef.name}`,
            }
          : { id: undefined, problem: undefined },
      isReady: () => true,
      ready: async () => {},
      refer: () => {},
      onChange: () => () => {},
    },
    interval: 600_000,
    log: { debug: note, info: note, warn: note },
  })
  scanner.start()
  const stop = async () => {
    await repositories.close()
    await scanner.stop()
    await client.close()
    await catalog.close()
    await cluster.close()
  }
  return { catalog, scanner, repositories, stop, log }
}

function until(check: () => unknown): Promise<void> {
  const what = 'the replicas and the API server agree'
  return waitFor(async () => Boolean(await check()), { what })
}

t.test('ImageRepositories on a real API server', { skip }, async (t) => {
  const registry = await startFakeRegistry({
    repositories: { 'acme/web': ['v1.2.3', 'v1.4.2', 'latest'], 'acme/api': ['v1.0.0'] },
  })
  t.teardown(() => registry.close())
  const plane = await startControlPlane()
  t.teardown(() => plane.stop())
  const kubectl = async (args: string, input?: string) => {
    const options = input === undefined ? {} : { input }
    const { code, stdout, stderr } = await plane.kubectl(args.split(' '), options)
    if (code !== 0) throw new Error(`kubectl ${args}: ${stderr}`)
    return stdout
  }
  await installKinds(plane)
  await kubectl('create namespace tagwarden')
  await kubectl('create namespace shop')
  const image = `${registry.host}/acme/web`
  const policy = `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: web, namespace: shop }
spec:
  images: ["${registry.host}/acme/*"]
  order: { semver: { range: ">=1.2.3 <2.0.0" } }
`
  const [leader, follower] = await Promise.all([
    startReplica(t, plane, registry.host, policy),
    startReplica(t, plane, registry.host, policy),
  ])
  t.teardown(() => Promise.all([leader.stop(), follower.stop()]))
  await Promise.all([leader.repositories.synced, follower.repositories.synced])
  const leading = new AbortController()
  const led = leader.repositories.lead(leading.signal)
  const field = (name: string, path: string, namespace = 'tagwarden') =>
    kubectl(`get imagerepository ${name} -n ${namespace} -o jsonpath={${path}}`)
  const object = (spec: string, metadata: string) => `apiVersion: tagwarden.io/v1alpha1
kind: ImageRepository
metadata: { ${metadata} }
spec: { ${spec} }
`
  const lists = () => registry.requests.filter(({ path }) => path.includes('/tags/list')).length

  await t.test('one that is applied is read, and every replica knows what was read', async (t) => {
    await kubectl('apply -f -', object(`image: "${image}"`, 'name: web, namespace: tagwarden'))
    await kubectl('wait imagerepository/web -n tagwarden --for=condition=Ready --timeout=120s')
    await until(() => follower.catalog.get(image)?.manifest('v1.4.2'))
    t.strictSame(follower.catalog.get(image)?.tags, ['latest', 'v1.2.3', 'v1.4.2'])
    t.equal(lists(), 1)
    const rows = await kubectl('get twr -A')
    t.match(rows, /NAMESPACE +NAME +IMAGE +TAGS +SEEN +READY/)
    t.match(rows, new RegExp(`tagwarden +web +${image} +3 +\\d+s +True`))
    t.match(await kubectl('get twr -A -o wide'), /3 tags, read every 10m/)
    const described = await kubectl('describe imagerepository web -n tagwarden')
    t.match(described, /Latest Tags:\s+v1.4.2\s+v1.2.3/)
    t.match(described, /Policy:\s+ImagePolicy shop\/web/)
    t.match(described, new RegExp(`Digest:\\s+${registry.digest('acme/web', 'v1.4.2')}`))
    const fresh = await startReplica(t, plane, registry.host, policy)
    await fresh.repositories.synced
    t.equal(
      fresh.catalog.get(image)?.manifest('v1.4.2')?.digest,
      registry.digest('acme/web', 'v1.4.2'),
    )
    await fresh.stop()
    t.equal(lists(), 1, 'one that has just started knows it too')
  })

  await t.test('what is pushed is there once a scan is asked for', async (t) => {
    registry.push('acme/web', 'v1.5.0')
    await kubectl('annotate imagerepository web -n tagwarden tagwarden.io/scan=now')
    await until(() => follower.catalog.get(image)?.has('v1.5.0'))
    await until(async () => (await field('web', '.status.lastHandledScan')) === 'now')
    t.equal(await field('web', '.status.latestTags[0]'), 'v1.5.0')
    t.equal(lists(), 2)
  })

  await t.test('what cannot be read says why', async (t) => {
    await kubectl(
      'apply -f -',
      object(`image: "${image}", secretRef: { name: regcred }`, 'name: web, namespace: shop'),
    )
    await kubectl('wait imagerepository/web -n shop --for=condition=Ready=False --timeout=120s')
    t.equal(await field('web', '.status.conditions[0].reason', 'shop'), 'SecretNotFound')
    await kubectl(
      'apply -f -',
      object(`image: "${registry.host}/acme/none"`, 'name: none, namespace: tagwarden'),
    )
    await kubectl(
      'wait imagerepository/none -n tagwarden --for=condition=Reconciling --timeout=120s',
    )
    const message = () => field('none', '.status.conditions[0].message')
    await until(async () => /nothing is known of it yet/.test(await message()))
    t.match(await message(), /answered 404 Not Found for the tags of .*acme\/none/)
  })

  await t.test('what a workload uses is made, and that it is used is noted', async (t) => {
    const api = `${registry.host}/acme/api`
    const need = { fact: 'repository', name: api } as const
    await follower.scanner.gather(need, AbortSignal.timeout(60_000))
    follower.repositories.used(api, undefined)
    const labelled = () => kubectl('get twr -n tagwarden -l tagwarden.io/managed=true -o name')
    await until(async () => (await labelled()) !== '')
    const name = (await labelled()).trim().split('/')[1] ?? ''
    t.match(name, /^api-[0-9a-f]{8}$/)
    await kubectl(`wait imagerepository/${name} -n tagwarden --for=condition=Ready --timeout=120s`)
    follower.repositories.policiesChanged()
    follower.repositories.used(api, undefined)
    await until(async () => (await field(name, '.status.lastUsedTime')) !== '')
    t.equal(await field(name, '.status.tagCount'), '1', 'and nothing else is lost by that')
  })

  await t.test('another leader goes on; one that is deleted is gone everywhere', async (t) => {
    leading.abort()
    await led
    const before = lists()
    const next = new AbortController()
    const lead = follower.repositories.lead(next.signal)
    await kubectl('annotate imagerepository web -n tagwarden tagwarden.io/scan=again --overwrite')
    await until(async () => (await field('web', '.status.lastHandledScan')) === 'again')
    const again = registry.requests.filter(({ path }) => path.includes('acme/web/tags/list'))
    t.equal(again.length, 3)
    t.ok(lists() - before <= 2, 'and nothing else that was read is read again')
    await kubectl('delete imagerepository web -n shop')
    await kubectl('delete imagerepository web -n tagwarden')
    await until(() => !leader.repositories.accessIn('shop', image))
    next.abort()
    await lead
  })
})
