import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import {
  DEPLOYMENTS,
  hasReason,
  IMAGE_POLICIES,
  type KubernetesObject,
  LEASES,
  NAMESPACES,
  type ResourceName,
  SECRETS,
} from '../../src/cluster/index.ts'
import { createFakeCluster, type FakeCluster } from './cluster.ts'

interface Web extends KubernetesObject {
  spec?: { replicas?: number; images?: string[] }
  status?: { ready?: number }
}
const KEY = { namespace: 'shop', name: 'web' }
const web = (more: object = {}): Web => ({ metadata: KEY, spec: { replicas: 1 }, ...more })
const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error) => error.reason,
  )

function told(cluster: FakeCluster, resource: ResourceName, options = {}) {
  const lines: string[] = []
  const watching = cluster.watch<Web>(resource, options, {
    upsert: ({ metadata }) => {
      lines.push(`upsert ${metadata.name}`)
      if (metadata.name === 'poison') throw new Error('a handler that throws')
    },
    remove: ({ namespace, name }) => lines.push(`remove ${namespace}/${name}`),
    problem: (error) => lines.push(`problem ${(error as { reason?: string }).reason}`),
    recovered: () => lines.push('recovered'),
  })
  return { lines, watching }
}

t.test('an object gets what the API server gives it, and copies are given out', async (t) => {
  const cluster = createFakeCluster()
  const object = web({ status: { ready: 3 } })
  const made = await cluster.create(DEPLOYMENTS, object)
  t.match(made, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { generation: 1 } })
  t.match(made.metadata.uid, /^[0-9a-f-]{36}$/)
  t.equal(made.status, undefined, 'the status is a matter of its own')
  t.match(object, { metadata: KEY })
  ;(made.spec as { replicas: number }).replicas = 9
  t.equal((await cluster.get<Web>(DEPLOYMENTS, KEY))?.spec?.replicas, 1)
  t.equal(await cluster.get(DEPLOYMENTS, { ...KEY, name: 'none' }), undefined)
  t.equal(await reasonOf(cluster.create(DEPLOYMENTS, web())), 'AlreadyExists')
  t.equal(await reasonOf(cluster.create(NAMESPACES, web())), 'Invalid')
})

t.test('versions conflict, generations count, status stands apart', async (t) => {
  const cluster = createFakeCluster()
  const first = await cluster.create<Web>(IMAGE_POLICIES, web())
  const second = await cluster.replace<Web>(IMAGE_POLICIES, { ...first, spec: { replicas: 2 } })
  t.equal(second.metadata.generation, 2)
  t.equal(await reasonOf(cluster.replace(IMAGE_POLICIES, first)), 'Conflict')
  t.equal(await reasonOf(cluster.replace(IMAGE_POLICIES, web())), 'Invalid', 'without a version')
  const third = await cluster.replace<Web>(
    IMAGE_POLICIES,
    { ...second, spec: { replicas: 7 }, status: { ready: 2 } },
    { subresource: 'status' },
  )
  t.match(third, { spec: { replicas: 2 }, status: { ready: 2 }, metadata: { generation: 2 } })
  const fourth = await cluster.replace<Web>(IMAGE_POLICIES, { ...third, status: { ready: 9 } })
  t.strictSame(fourth, third, 'a write that changes nothing is none')
  t.equal(await reasonOf(cluster.replace(LEASES, web())), 'NotFound')
})

t.test('patches of each type', async (t) => {
  const cluster = createFakeCluster()
  cluster.put<Web>(DEPLOYMENTS, web({ spec: { replicas: 1, images: ['a', 'b'] } }))
  const patch = (type: 'json' | 'merge', body: object, options = {}) =>
    cluster.patch<Web>(DEPLOYMENTS, KEY, { type, body } as never, options)
  t.match(await patch('merge', { spec: { replicas: null } }), { spec: { images: ['a', 'b'] } })
  const operations = [
    { op: 'test', path: '/spec/images/0', value: 'a' },
    { op: 'replace', path: '/spec/images/0', value: 'c' },
    { op: 'add', path: '/spec/images/-', value: 'd' },
    { op: 'remove', path: '/spec/images/1' },
  ]
  t.strictSame((await patch('json', operations)).spec?.images, ['c', 'd'])
  t.equal(await reasonOf(patch('json', operations)), 'Invalid')
  t.equal(await reasonOf(patch('merge', { metadata: { resourceVersion: '1' } })), 'Conflict')
  t.match(await patch('merge', { spec: { replicas: 5 } }, { dryRun: true }), {
    spec: { replicas: 5 },
  })
  t.equal((await cluster.get<Web>(DEPLOYMENTS, KEY))?.spec?.replicas, undefined)
  t.equal(
    await reasonOf(cluster.patch(DEPLOYMENTS, { ...KEY, name: 'x' }, { type: 'merge', body: {} })),
    'NotFound',
  )
  t.match(cluster.calls.at(-1), { verb: 'patch', resource: 'deployments.apps', key: 'shop/x' })
})

t.test('an applied object loses what its manager no longer says', async (t) => {
  const cluster = createFakeCluster()
  const apply = (body: object, fieldManager: string, force = false) =>
    cluster.patch<Web>(DEPLOYMENTS, KEY, { type: 'apply', body, force }, { fieldManager })
  const labels = (...names: string[]) => ({
    metadata: { labels: Object.fromEntries(names.map((name) => [name, 'x'])) },
  })
  t.match(await apply({ ...labels('a', 'b'), spec: { replicas: 1 } }, 'ann'), {
    metadata: { ...KEY, labels: { a: 'x', b: 'x' } },
  })
  await apply({ spec: { images: ['a'] } }, 'bob')
  const { metadata, spec } = await apply({ ...labels('b'), spec: { replicas: 1 } }, 'ann')
  t.strictSame(metadata.labels, { b: 'x' })
  t.strictSame(spec, { replicas: 1, images: ['a'] })
  t.equal(await reasonOf(apply({ spec: { replicas: 2 } }, 'bob')), 'Conflict')
  t.equal((await apply({ spec: { replicas: 2 } }, 'bob', true)).spec?.replicas, 2)
})

t.test('a watch tells what is there and what changes', async (t) => {
  const cluster = createFakeCluster()
  cluster.put(SECRETS, { metadata: { ...KEY, labels: { team: 'a' } } })
  cluster.put(SECRETS, { metadata: { namespace: 'other', name: 'x' } })
  const all = told(cluster, SECRETS)
  const some = told(cluster, SECRETS, { namespace: 'shop', labelSelector: 'team in (a, b)' })
  t.equal(all.watching.isSynced(), false)
  await Promise.all([all.watching.synced, some.watching.synced])
  t.equal(all.watching.isSynced(), true)
  t.strictSame(all.lines, ['upsert web', 'upsert x'])
  t.strictSame(some.lines, ['upsert web'])
  await cluster.create(SECRETS, { metadata: { namespace: 'shop', name: 'poison' } })
  await cluster.patch(SECRETS, KEY, {
    type: 'merge',
    body: { metadata: { labels: { team: 'c' } } },
  })
  await cluster.patch(SECRETS, KEY, { type: 'merge', body: {} })
  t.equal(await cluster.remove(SECRETS, { namespace: 'other', name: 'x' }), true)
  t.equal(await cluster.remove(SECRETS, { namespace: 'other', name: 'x' }), false)
  await turn()
  t.strictSame(all.lines.slice(2), ['upsert poison', 'upsert web', 'remove other/x'])
  t.strictSame(some.lines.slice(1), ['remove shop/web'])
  await all.watching.close()
  cluster.drop(SECRETS, KEY)
  await turn()
  t.equal(all.lines.length, 5)
})

t.test('an outage is told once, and what changed meanwhile after it', async (t) => {
  const cluster = createFakeCluster()
  cluster.put(SECRETS, { metadata: KEY })
  const { lines, watching } = told(cluster, SECRETS)
  await watching.synced
  cluster.available = false
  cluster.drop(SECRETS, KEY)
  cluster.put(SECRETS, { metadata: { ...KEY, name: 'new' } })
  t.equal(await reasonOf(cluster.get(SECRETS, KEY)), 'Unreachable')
  await turn()
  cluster.available = true
  await turn()
  t.strictSame(lines, [
    ...['upsert web', 'problem Unreachable', 'recovered'],
    ...['remove shop/web', 'upsert new'],
  ])
})

t.test('calls are refused as the test says, for as long as it says', async (t) => {
  const cluster = createFakeCluster()
  cluster.put(SECRETS, { metadata: KEY })
  cluster.refuse('get', SECRETS, 'Conflict', { times: 1 })
  const allow = cluster.refuse('get', SECRETS, 'Forbidden', { name: 'web' })
  t.equal(await reasonOf(cluster.get(SECRETS, KEY)), 'Conflict')
  await cluster.get(SECRETS, KEY).catch((error) => {
    t.ok(hasReason(error, 'Forbidden'))
    t.equal(error.answer, 403)
  })
  t.equal(await cluster.get(SECRETS, { ...KEY, name: 'x' }), undefined)
  allow()
  t.ok(await cluster.get(SECRETS, KEY))
})

t.test('whether a resource is served is told at each change', async (t) => {
  const cluster = createFakeCluster()
  const answers: boolean[] = []
  const stop = cluster.whenServed(IMAGE_POLICIES, (served) => answers.push(served))
  await turn()
  cluster.serve(IMAGE_POLICIES, false)
  t.equal(await cluster.serves(IMAGE_POLICIES), false)
  t.equal(await reasonOf(cluster.get(IMAGE_POLICIES, KEY)), 'NotFound')
  await turn()
  cluster.serve(IMAGE_POLICIES, true)
  await turn()
  stop()
  cluster.serve(IMAGE_POLICIES, false)
  await turn()
  t.strictSame(answers, [true, false, true])
})

t.test('lists come in pages, and finalizers hold an object back', async (t) => {
  const cluster = createFakeCluster()
  for (let each = 0; each < 501; each += 1) {
    cluster.put(SECRETS, { metadata: { namespace: 'shop', name: `s${each}` } })
  }
  const sizes: number[] = []
  for await (const page of cluster.pages(SECRETS, { namespace: 'shop' })) sizes.push(page.length)
  t.strictSame(sizes, [500, 1])
  t.equal(cluster.all(SECRETS, { fieldSelector: 'metadata.name=s7' }).length, 1)

  const held = cluster.put(DEPLOYMENTS, web({ metadata: { ...KEY, finalizers: ['a'] } }))
  t.equal(await reasonOf(cluster.remove(DEPLOYMENTS, KEY, { uid: 'another' })), 'Conflict')
  await cluster.remove(DEPLOYMENTS, KEY, { uid: held.metadata.uid })
  t.ok((await cluster.get(DEPLOYMENTS, KEY))?.metadata.deletionTimestamp)
  await cluster.patch(DEPLOYMENTS, KEY, {
    type: 'json',
    body: [{ op: 'remove', path: '/metadata/finalizers' }],
  })
  t.equal(await cluster.get(DEPLOYMENTS, KEY), undefined)
})
