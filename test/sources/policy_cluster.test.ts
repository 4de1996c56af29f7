import t from 'tap'
import {
  CLUSTER_IMAGE_POLICIES,
  IMAGE_POLICIES,
  IMAGE_POLICY_EXCEPTIONS,
  NAMESPACES,
} from '../../src/cluster/index.ts'
import { type PolicySet, readObjects, UNKNOWN_LABELS } from '../../src/policies/index.ts'
import type { OwnResource } from '../../src/sources/policy_object.ts'
import { createPolicyTable } from '../../src/sources/policy_table.ts'
import { createFakeCluster } from '../fakes/cluster.ts'
import { clusterImagePolicy, followCluster, imagePolicy } from './cluster.ts'
import { policy as filePolicy } from './folder.ts'

t.test('what is in the cluster when it starts is in force once it is synced', async (t) => {
  const cluster = createFakeCluster()
  cluster.put(IMAGE_POLICIES, imagePolicy('web'))
  cluster.put(CLUSTER_IMAGE_POLICIES, clusterImagePolicy('base', { images: ['**'] }))
  const { source, titles, rules } = await followCluster(t, { cluster })
  t.equal(source.isSynced(), false)
  t.match(source.missing(), /have not been read yet/)
  await source.synced
  t.equal(source.isSynced(), true)
  t.equal(source.missing(), undefined)
  t.strictSame(titles(), ['ClusterImagePolicy base', 'ImagePolicy shop/web'])
  t.strictSame(rules('ghcr.io/acme/web:v1'), [
    'ImagePolicy shop/web: semver 1.x',
    'ClusterImagePolicy base: semver 1.x',
  ])
})

t.test('a policy that is made, changed or deleted counts soon after', async (t) => {
  const sets: PolicySet[] = []
  const onChange = (set: PolicySet) => void sets.push(set)
  const { source, put, drop, rules, until } = await followCluster(t, { onChange })
  await source.synced
  put(imagePolicy('web'))
  await until(() => rules('ghcr.io/acme/web').join() === 'ImagePolicy shop/web: semver 1.x')
  put(imagePolicy('web', { order: { semver: { range: '2.x' } } }))
  await until(() => rules('ghcr.io/acme/web').join() === 'ImagePolicy shop/web: semver 2.x')
  drop('web')
  await until(() => rules('ghcr.io/acme/web').length === 0)
  t.equal(sets.length, 3)
  t.equal(new Set(sets.map(({ revision }) => revision)).size, 3)
})

t.test('a wrong edit leaves the version before in force until it is put right', async (t) => {
  const { source, put, drop, rules, problems, until } = await followCluster(t)
  await source.synced
  put(imagePolicy('web'))
  put(imagePolicy('job'))
  await until(() => source.current().policies.length === 2)
  put(imagePolicy('web', { order: { semver: { range: '>=banana' } } }))
  put(imagePolicy('job', { order: { semver: { range: '3.x' } } }))
  await until(() => problems().length === 1)
  t.match(problems()[0], /^ImagePolicy shop\/web: spec\.order\.semver\.range: .*banana/)
  t.strictSame(rules('ghcr.io/acme/web'), ['ImagePolicy shop/web: semver 1.x'])
  t.strictSame(rules('ghcr.io/acme/job'), ['ImagePolicy shop/job: semver 3.x'], 'others go on')
  const [object] = [...source.objects()].filter(({ name }) => name === 'web')
  t.match(object, { generation: 2, inForce: 1, policy: { name: 'web' } })

  put(imagePolicy('web', { order: { semver: { range: '2.x' } } }))
  await until(() => problems().length === 0)
  t.strictSame(rules('ghcr.io/acme/web'), ['ImagePolicy shop/web: semver 2.x'])
  put(imagePolicy('web', { images: ['https://ghcr.io/acme/web'] }))
  await until(() => problems().length === 1)
  drop('web')
  await until(() => rules('ghcr.io/acme/web').length === 0)
  t.strictSame(problems(), [], 'deleting it ends both')
})

t.test('one that was never right is left out, and the others count', async (t) => {
  const cluster = createFakeCluster()
  cluster.put(IMAGE_POLICIES, imagePolicy('web', { tags: { pattern: '(' } }))
  cluster.put(IMAGE_POLICIES, imagePolicy('job'))
  const { source, titles, problems } = await followCluster(t, { cluster })
  await source.synced
  t.strictSame(titles(), ['ImagePolicy shop/job'])
  t.match(problems(), [/^ImagePolicy shop\/web: spec\.tags\.pattern/])
  const web = [...source.objects()].find(({ name }) => name === 'web')
  t.match(web, { policy: undefined, inForce: undefined, generation: 1 })
})

t.test(
  'a replica that starts while a policy is wrong has its last good version from its status',
  async (t) => {
    const cluster = createFakeCluster()
    const good = JSON.stringify({ ...imagePolicy('web').spec, enforcement: 'Enforce' })
    const put = (spec: object, inForce?: object) =>
      cluster.put(IMAGE_POLICIES, {
        ...imagePolicy('web', spec),
        ...(inForce && { status: { inForce } }),
      } as never)
    put({ order: { semver: { range: 'banana' } } }, { generation: 4, spec: good })
    const first = await followCluster(t, { cluster })
    await first.source.synced
    t.strictSame(first.rules('ghcr.io/acme/web'), ['ImagePolicy shop/web: semver 1.x'])
    t.match(first.problems(), [/banana/])
    const [object] = first.source.objects()
    t.match(object, { inForce: 4 })
    t.match(object?.lastGood(), { generation: 4 })
    t.match(JSON.parse(object?.lastGood()?.spec ?? ''), JSON.parse(good))

    put({ order: { semver: { range: '2.x' } } })
    await first.until(() => first.problems().length === 0)
    t.strictSame(first.rules('ghcr.io/acme/web'), ['ImagePolicy shop/web: semver 2.x'])
    t.equal(object?.lastGood(), undefined)
  },
)

t.test('the status may tell it later, and what it tells may be wrong too', async (t) => {
  const cluster = createFakeCluster()
  const wrong = imagePolicy('web', { order: { semver: { range: 'banana' } } })
  const tell = (inForce: unknown) =>
    cluster.put(IMAGE_POLICIES, { ...wrong, status: { inForce } } as never)
  cluster.put(IMAGE_POLICIES, wrong)
  const { source, rules, until } = await followCluster(t, { cluster })
  await source.synced
  const [object] = source.objects()
  for (const spec of ['{', 'null', '[]', '7', JSON.stringify(wrong.spec), 7]) {
    tell({ generation: 1, spec })
    await until(() => object?.statusText.includes(JSON.stringify(spec)) ?? false)
    t.strictSame(rules('ghcr.io/acme/web'), [], String(spec))
  }
  t.match(object?.lastGood(), { spec: 7 }, 'another version may be able to read it: it is kept')
  tell({ generation: 1, spec: JSON.stringify(imagePolicy('web').spec) })
  await until(() => rules('ghcr.io/acme/web').length === 1)
  t.match(object, { inForce: 1 })
})

t.test('one that is made anew does not inherit what was right before', async (t) => {
  const { source, cluster, put, rules, problems, until } = await followCluster(t)
  await source.synced
  put(imagePolicy('web'))
  await until(() => rules('ghcr.io/acme/web').length === 1)
  cluster.drop(IMAGE_POLICIES, { namespace: 'shop', name: 'web' })
  put(imagePolicy('web', { order: { semver: { range: 'banana' } } }))
  await until(() => problems().length === 1)
  t.strictSame(rules('ghcr.io/acme/web'), [])
})

t.test('hostile objects are wrong, and nothing else', async (t) => {
  const cluster = createFakeCluster()
  const rows: [string, unknown][] = [
    ['null', null],
    ['text', 'images'],
    ['list', []],
    ['proto', JSON.parse('{"__proto__": {"images": ["**"]}, "constructor": 1}')],
    ['nul', { images: ['ghcr.io/\0'], order: {} }],
    ['long', { images: ['a'.repeat(3_000)], order: { semver: { range: 'x'.repeat(3_000) } } }],
  ]
  for (const [name, spec] of rows) {
    cluster.put(IMAGE_POLICIES, { ...imagePolicy(name), spec } as never)
  }
  cluster.put(IMAGE_POLICIES, imagePolicy('web'))
  const { source, titles, problems } = await followCluster(t, { cluster })
  await source.synced
  t.strictSame(titles(), ['ImagePolicy shop/web'])
  for (const [name] of rows) {
    t.ok(
      problems().some((line) => line.startsWith(`ImagePolicy shop/${name}: `)),
      name,
    )
  }
})

t.test('many changes at once are one set', async (t) => {
  const sets: PolicySet[] = []
  const { source, put, until } = await followCluster(t, { onChange: (set) => sets.push(set) })
  await source.synced
  for (let count = 0; count < 200; count += 1) put(imagePolicy(`p${count}`))
  await until(() => source.current().policies.length === 200)
  t.equal(sets.length, 1)
})

t.test('a stream of changes does not put off the first for ever', async (t) => {
  const { source, put, until } = await followCluster(t, { quiet: 40, longest: 80 })
  await source.synced
  let count = 0
  const timer = setInterval(() => put(imagePolicy(`p${count++}`)), 5)
  await until(() => source.current().policies.length > 0)
  clearInterval(timer)
  t.ok(count < 60, `in force after ${count} changes`)
})

t.test('statuses that are written all the time hold up no change', async (t) => {
  const options = { quiet: 50, longest: 60_000 }
  const { source, cluster, put, until, rules } = await followCluster(t, options)
  await source.synced
  for (const name of ['web', 'job']) put(imagePolicy(name))
  await until(() => source.current().policies.length === 2)
  let count = 0
  const timer = setInterval(() => {
    const body = { status: { newest: `v1.0.${count++}` } }
    const key = { namespace: 'shop', name: 'job' }
    void cluster.patch(IMAGE_POLICIES, key, { type: 'merge', body }, { subresource: 'status' })
  }, 5)
  t.teardown(() => clearInterval(timer))
  put(imagePolicy('web', { order: { semver: { range: '2.x' } } }))
  const isInForce = () => rules('ghcr.io/acme/web:v2')[0] === 'ImagePolicy shop/web: semver 2.x'
  await until(isInForce)
  t.ok(isInForce(), `in force after ${count} statuses`)
  clearInterval(timer)
  const last = `v1.0.${count - 1}`
  await until(() => [...source.objects()].some((each) => each.status()?.newest === last))
})

t.test('a status that is written, or a label, compiles nothing', async (t) => {
  const sets: PolicySet[] = []
  const { source, cluster, put, until } = await followCluster(t, { onChange: (s) => sets.push(s) })
  await source.synced
  put(imagePolicy('web'))
  await until(() => sets.length === 1)
  const [before] = source.current().policies
  const key = { namespace: 'shop', name: 'web' }
  const status = { newest: 'v1.4.2' }
  await cluster.patch(
    IMAGE_POLICIES,
    key,
    { type: 'merge', body: { status } },
    { subresource: 'status' },
  )
  await until(() => [...source.objects()][0]?.status()?.newest === 'v1.4.2')
  await cluster.patch(IMAGE_POLICIES, key, {
    type: 'merge',
    body: { metadata: { labels: { a: 'b' } } },
  })
  put(imagePolicy('job'))
  await until(() => sets.length === 2)
  t.equal(
    source.current().policies.find(({ name }) => name === 'web'),
    before,
    'the very same',
  )
})

t.test('policies from files and from the cluster count together', async (t) => {
  const paths = [
    t.testdir({ 'web.yaml': filePolicy('web', '2.x'), 'base.yaml': filePolicy('all') }),
  ]
  const cluster = createFakeCluster()
  cluster.put(IMAGE_POLICIES, imagePolicy('web', {}, 'default'))
  cluster.put(IMAGE_POLICIES, imagePolicy('job'))
  const { source, titles, rules, problems, until } = await followCluster(t, { cluster, paths })
  const files = ['ImagePolicy default/all', 'ImagePolicy default/web']
  t.strictSame(titles(), files, 'those of files count at once')
  await source.synced
  t.strictSame(titles(), [...files, 'ImagePolicy shop/job'])
  t.strictSame(rules('ghcr.io/acme/web', 'default'), ['ImagePolicy default/web: semver 2.x'])
  t.match(problems(), [
    /^ImagePolicy default\/web: there is one of this name in .*web\.yaml, and that counts\. Rename/,
  ])
  const file = source.current().policies.find(({ name }) => name === 'all')
  t.equal(file && source.subjectOf(file), undefined, 'one from a file is no object')
  const job = source.current().policies.find(({ name }) => name === 'job')
  t.match(job && source.subjectOf(job), {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImagePolicy',
    namespace: 'shop',
    name: 'job',
    uid: /./,
  })
  const { writeFileSync } = await import('node:fs')
  writeFileSync(`${paths[0]}/web.yaml`, filePolicy('other'))
  await until(() => problems().length === 0)
  t.strictSame(rules('ghcr.io/acme/web', 'default'), ['ImagePolicy default/web: semver 1.x'])
})

t.test('a file that is wrong ends the start, as without a cluster', async (t) => {
  const paths = [t.testdir({ 'web.yaml': filePolicy('web', 'banana') })]
  await t.rejects(followCluster(t, { paths }), /banana/)
})

t.test('without the CRDs it is not ready, and says what to install', async (t) => {
  const cluster = createFakeCluster()
  cluster.serve(IMAGE_POLICIES, false)
  cluster.put(CLUSTER_IMAGE_POLICIES, clusterImagePolicy('base'))
  const { source, titles, until } = await followCluster(t, { cluster })
  await until(() => titles().length === 1)
  t.equal(source.isSynced(), false)
  t.equal(
    source.missing(),
    'the API server does not serve imagepolicies.tagwarden.io: install the CRDs of Tagwarden',
  )
  cluster.serve(IMAGE_POLICIES, true)
  await source.synced
  t.equal(source.missing(), undefined)
})

t.test('an API server that is away takes no policy with it', async (t) => {
  const { source, cluster, put, titles, lines, until } = await followCluster(t)
  await source.synced
  put(imagePolicy('web'))
  put(imagePolicy('job'))
  await until(() => titles().length === 2)
  cluster.available = false
  await until(() => lines.some((line) => /imagepolicies.tagwarden.io cannot be watched/.test(line)))
  t.equal(titles().length, 2)
  cluster.drop(IMAGE_POLICIES, { namespace: 'shop', name: 'job' })
  cluster.available = true
  await until(() => titles().length === 1)
  t.ok(lines.some((line) => /imagepolicies.tagwarden.io are watched again/.test(line)))
})

t.test('a namespace has its labels at once, even when it is new', async (t) => {
  const cluster = createFakeCluster()
  const namespace = (name: string, labels: Record<string, string>) => ({
    metadata: {
      name,
      labels,
      annotations: { 'tagwarden.io/hold': 'true', big: 'x'.repeat(5_000) },
    },
  })
  cluster.put(NAMESPACES, namespace('shop', { team: 'web' }))
  const { source, until } = await followCluster(t, { cluster })
  await source.synced
  t.strictSame(source.namespaceLabels('shop'), { team: 'web' })
  t.strictSame(source.namespace('shop')?.annotations, { 'tagwarden.io/hold': 'true' })

  cluster.put(NAMESPACES, namespace('new', { team: 'job' }))
  const early = source.namespaceLabels('new')
  t.ok(early instanceof Promise, 'asked of the API server')
  t.strictSame(await early, { team: 'job' })
  await until(() => source.namespace('new') !== undefined)
  t.strictSame(source.namespaceLabels('new'), { team: 'job' })

  cluster.drop(NAMESPACES, { name: 'shop' })
  await until(() => source.namespace('shop') === undefined)
  t.strictSame(await source.namespaceLabels('shop'), {}, 'a namespace that is gone has none')
  cluster.available = false
  const late = await source.namespaceLabels('late')
  t.equal(late, UNKNOWN_LABELS, 'of one that cannot be asked for, nobody knows')
  t.strictSame(source.namespaceLabels(''), {}, 'cluster-scoped objects have no namespace')
})

t.test('nothing is told any more once it is closed', async (t) => {
  const sets: PolicySet[] = []
  const { source, put, cluster } = await followCluster(t, { onChange: (set) => sets.push(set) })
  await source.synced
  put(imagePolicy('web'))
  await source.close()
  put(imagePolicy('job'))
  await cluster.get(IMAGE_POLICIES, { namespace: 'shop', name: 'job' })
  t.strictSame(sets, [])
})

t.test('exceptions count too, and a wrong edit of one lets nothing through', async (t) => {
  const { source, cluster, problems, until } = await followCluster(t)
  await source.synced
  const exception = (spec: object) => ({
    metadata: { name: 'old', namespace: 'shop' },
    spec: {
      images: ['ghcr.io/acme/web'],
      reason: 'OPS-1',
      expires: '2036-01-01T00:00:00Z',
      ...spec,
    },
  })
  const count = () => source.current().allExceptions.length
  cluster.put(IMAGE_POLICY_EXCEPTIONS, exception({}))
  await until(() => count() === 1)
  const [object] = [...source.objects()]
  t.match(object, { title: 'ImagePolicyException shop/old', inForce: 1, policy: undefined })
  t.equal(object?.exception, source.current().allExceptions[0])
  cluster.put(IMAGE_POLICY_EXCEPTIONS, exception({ images: ['https://ghcr.io'] }))
  await until(() => count() === 0)
  t.match(problems(), [/^ImagePolicyException shop\/old: spec\.images\[0\]: .*scheme/])
  cluster.put(IMAGE_POLICY_EXCEPTIONS, exception({ reason: 'OPS-2' }))
  await until(() => count() === 1)
  cluster.drop(IMAGE_POLICY_EXCEPTIONS, { namespace: 'shop', name: 'old' })
  await until(() => count() === 0)
})

t.test('hundreds of policies that come at once count together', async (t) => {
  const { source, put, until } = await followCluster(t)
  await source.synced
  for (let i = 0; i < 300; i += 1) {
    put(imagePolicy(`p${i}`, { tags: { allow: [`(?i)(?:[a-zé-ÿ]{${(i % 7) + 1}}x?){90}${i}`] } }))
  }
  const sizes = new Set<number>()
  await until(() => {
    sizes.add(source.current().policies.length)
    return source.current().policies.length === 300
  })
  t.strictSame([...sizes], [0, 300], 'no part of them is in force before the rest')
})

t.test('policies are compiled one at a time, and each as it was told last', (t) => {
  const table = createPolicyTable('Enforce')
  const put = (name: string, generation: number, range: string) => {
    const object = imagePolicy(name, { order: { semver: { range } } })
    const { resources } = readObjects([object])
    const metadata = { ...object.metadata, generation }
    const reading = { resource: resources[0] as OwnResource, problems: [] }
    table.put(IMAGE_POLICIES, { ...object, metadata }, () => reading)
  }
  for (let i = 0; i < 100; i += 1) put(`p${i}`, 1, `${i}.x`)
  const work = table.preparing()
  let steps = 0
  while (!work.next().done) {
    steps += 1
    if (steps === 50) put('p7', 2, '7.7.x')
  }
  t.equal(steps, 99, 'others go first in between')
  const { set } = table.update([])
  t.equal(set.policies.length, 100)
  const changed = set.policies.find(({ name }) => name === 'p7')
  t.equal(changed?.selector.description, 'semver 7.7.x')
  t.equal(table.preparing().next().done, true, 'nothing is left')
  t.end()
})
