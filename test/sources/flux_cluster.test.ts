import t from 'tap'
import {
  FLUX_IMAGE_POLICIES,
  FLUX_IMAGE_REPOSITORIES,
  type ResourceName,
} from '../../src/cluster/index.ts'
import { createFakeCluster, type FakeCluster } from '../fakes/cluster.ts'
import { followCluster, imagePolicy } from './cluster.ts'

const older = (resource: ResourceName): ResourceName => ({ ...resource, version: 'v1beta2' })

function repository(name: string, spec: object = {}, namespace = 'shop') {
  return { metadata: { name, namespace }, spec: { image: `ghcr.io/acme/${name}`, ...spec } }
}

function fluxPolicy(name: string, spec: object = {}, namespace = 'shop') {
  const imageRepositoryRef = { name }
  return {
    metadata: { name, namespace },
    spec: { imageRepositoryRef, policy: { semver: { range: '1.x' } }, ...spec },
  }
}

/** A cluster in which Flux serves these versions, and no other. */
function clusterWith(...served: string[]): FakeCluster {
  const cluster = createFakeCluster()
  for (const resource of [FLUX_IMAGE_REPOSITORIES, FLUX_IMAGE_POLICIES]) {
    cluster.serve(resource, served.includes('v1'))
    cluster.serve(older(resource), served.includes('v1beta2'))
  }
  return cluster
}

t.test('a pair of Flux is a policy, whatever comes first', async (t) => {
  const cluster = clusterWith('v1')
  const { source, rules, problems, until } = await followCluster(t, { cluster })
  await source.synced
  cluster.put(FLUX_IMAGE_POLICIES, fluxPolicy('web'))
  await until(() => problems().length > 0)
  t.match(problems(), [/there is no ImageRepository shop\/web/])
  cluster.put(FLUX_IMAGE_REPOSITORIES, repository('web'))
  await until(() => problems().length === 0)
  t.strictSame(rules('ghcr.io/acme/web'), ['ImagePolicy shop/web: semver 1.x'])
  cluster.put(FLUX_IMAGE_REPOSITORIES, repository('web', { image: 'ghcr.io/acme/shop' }))
  await until(() => rules('ghcr.io/acme/shop').length === 1)
  t.strictSame(rules('ghcr.io/acme/web'), [])
  const [policy] = source.current().policies
  t.match(policy && source.subjectOf(policy), {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    kind: 'ImagePolicy',
    uid: /./,
  })
  t.strictSame([...source.objects()], [], 'the status of these is not ours to write')
})

t.test('a wrong edit or a repository that goes away leaves what was in force', async (t) => {
  const cluster = clusterWith('v1')
  cluster.put(FLUX_IMAGE_REPOSITORIES, repository('web'))
  cluster.put(FLUX_IMAGE_POLICIES, fluxPolicy('web'))
  const { source, rules, problems, until } = await followCluster(t, { cluster })
  await source.synced
  cluster.put(FLUX_IMAGE_POLICIES, fluxPolicy('web', { policy: { semver: { range: 'banana' } } }))
  await until(() => problems().length === 1)
  t.strictSame(rules('ghcr.io/acme/web'), ['ImagePolicy shop/web: semver 1.x'])
  cluster.put(FLUX_IMAGE_POLICIES, fluxPolicy('web'))
  await until(() => problems().length === 0)
  cluster.drop(FLUX_IMAGE_REPOSITORIES, { namespace: 'shop', name: 'web' })
  await until(() => problems().length === 1)
  t.strictSame(rules('ghcr.io/acme/web'), ['ImagePolicy shop/web: semver 1.x'])
  cluster.drop(FLUX_IMAGE_POLICIES, { namespace: 'shop', name: 'web' })
  await until(() => rules('ghcr.io/acme/web').length === 0)
})

t.test('one that is suspended is left out, as it was meant', async (t) => {
  const cluster = clusterWith('v1')
  cluster.put(FLUX_IMAGE_REPOSITORIES, repository('web'))
  cluster.put(FLUX_IMAGE_POLICIES, fluxPolicy('web'))
  const { source, rules, problems, lines, until } = await followCluster(t, { cluster })
  await source.synced
  cluster.put(FLUX_IMAGE_REPOSITORIES, repository('web', { suspend: true }))
  await until(() => rules('ghcr.io/acme/web').length === 0)
  t.strictSame(problems(), [])
  t.match(lines, ['ImagePolicy shop/web is left out: its ImageRepository is suspended'])
})

t.test('an object of Tagwarden goes before one of Flux with the same name', async (t) => {
  const cluster = clusterWith('v1')
  cluster.put(FLUX_IMAGE_REPOSITORIES, repository('web'))
  cluster.put(FLUX_IMAGE_POLICIES, fluxPolicy('web'))
  const { source, put, drop, rules, problems, until } = await followCluster(t, { cluster })
  await source.synced
  put(imagePolicy('web', { order: { semver: { range: '2.x' } } }))
  await until(() => rules('ghcr.io/acme/web').join() === 'ImagePolicy shop/web: semver 2.x')
  t.match(problems(), [
    /there is one of this name as an object of Tagwarden itself, and that counts/,
  ])
  drop('web')
  await until(() => rules('ghcr.io/acme/web').join() === 'ImagePolicy shop/web: semver 1.x')
  t.strictSame(problems(), [])
})

t.test('CRDs of Flux that are installed later, or removed, are followed', async (t) => {
  const cluster = clusterWith()
  const { source, rules, until } = await followCluster(t, { cluster })
  await source.synced
  cluster.put(FLUX_IMAGE_REPOSITORIES, repository('web'))
  cluster.put(FLUX_IMAGE_POLICIES, fluxPolicy('web'))
  for (const each of [FLUX_IMAGE_REPOSITORIES, FLUX_IMAGE_POLICIES]) cluster.serve(each, true)
  await until(() => rules('ghcr.io/acme/web').length === 1)
  for (const each of [FLUX_IMAGE_POLICIES, FLUX_IMAGE_REPOSITORIES]) cluster.serve(each, false)
  await until(() => rules('ghcr.io/acme/web').length === 0)
})

t.test('an older Flux is read by its own version, and an upgrade changes nothing', async (t) => {
  const cluster = clusterWith('v1beta2')
  cluster.put(older(FLUX_IMAGE_REPOSITORIES), repository('web'))
  cluster.put(older(FLUX_IMAGE_POLICIES), fluxPolicy('web'))
  const counts = new Set<number>()
  const onChange = () => void counts.add(source?.current().policies.length ?? -1)
  const following = await followCluster(t, { cluster, onChange })
  const { source, rules, until } = following
  await source.synced
  t.strictSame(rules('ghcr.io/acme/web'), ['ImagePolicy shop/web: semver 1.x'])
  counts.clear()
  const [before] = source.current().policies
  cluster.put(FLUX_IMAGE_POLICIES, fluxPolicy('web', { filterTags: { pattern: '^1' } }))
  for (const each of [FLUX_IMAGE_REPOSITORIES, FLUX_IMAGE_POLICIES]) cluster.serve(each, true)
  await until(() => source.current().policies[0] !== before)
  t.notOk(counts.has(0), 'the gate was never open')
  t.equal(source.current().policies.length, 1)
})
