import t from 'tap'
import {
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  JOBS,
  NAMESPACES,
  type ResourceName,
  STATEFUL_SETS,
} from '../../src/cluster/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { isPromoted, promotedResources, whyNamespaceUnmoved } from '../../src/promotion/movable.ts'
import { moveWorkload } from '../../src/promotion/move.ts'
import { createPatience } from '../../src/promotion/patience.ts'
import { surveyWorkloads } from '../../src/promotion/survey.ts'
import { reviewOptions } from '../admission/reviews.ts'
import { createFakeCluster } from '../fakes/cluster.ts'
import { digest, NOW, snapshot, source } from '../fakes/facts.ts'
import { running, trackAll, WEB } from './world.ts'

const facts = () =>
  source([snapshot(WEB, { 'v1.4.2': { digest: digest('2') }, 'v1.4.3': { digest: digest('3') } })])

function survey(
  pages: (resource: ResourceName) => Iterable<object[]>,
  world: { names?: string[]; policies?: CompiledPolicy[]; facts?: ReturnType<typeof facts> } = {},
) {
  const { names = ['shop'] } = world
  const policies = world.policies ?? names.map((namespace) => trackAll({ namespace }))
  const lists: (string | undefined)[] = []
  const fake = createFakeCluster()
  for (const name of names) fake.put(NAMESPACES, { metadata: { name } })
  const cluster = {
    ...fake,
    async *pages(resource: ResourceName, options: { namespace?: string }) {
      lists.push(options.namespace)
      yield* pages(resource)
    },
  } as ReturnType<typeof createFakeCluster>
  const found = surveyWorkloads(
    policies,
    {
      ...{ cluster, review: reviewOptions(policies, { source: world.facts ?? facts() }) },
      ...{
        clock: () => NOW,
        since: NOW,
        customKinds: async () => [],
        excludedNamespaces: new Set<string>(),
      },
      ...{ inFlight: new Set<string>(), isStopped: () => false, onImage: () => {}, log: undefined },
    },
    new AbortController().signal,
  )
  return { found, lists }
}

t.test('of very many workloads only the places of 500 are kept at a time', async (t) => {
  function* pages({ kind }: ResourceName) {
    for (let page = 0; kind === 'Deployment' && page < 20; page += 1) {
      yield Array.from({ length: 500 }, (_, index) => running(`w${page * 500 + index}`, 'v1.4.2'))
    }
  }
  const { found } = survey(pages)
  const plan = (await found).get('ImagePolicy shop/web')
  t.equal(plan?.moves.length, 500)
  t.equal(plan?.more, true)
  t.strictSame(plan?.moves[0], {
    place: { resource: DEPLOYMENTS, namespace: 'shop', name: 'w0' },
    versions: [`${WEB} v1.4.3`],
  })
})

t.test('image fields of built-in kinds make no Job moved, and no kind twice', (t) => {
  const rollouts = { ...DEPLOYMENTS, group: 'argoproj.io', plural: 'rollouts', kind: 'Rollout' }
  t.strictSame(promotedResources([rollouts, DEPLOYMENTS, JOBS, rollouts]), [
    ...[DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, CRON_JOBS, rollouts],
  ])
  const fields = [rollouts, JOBS, DEPLOYMENTS].map((each) => ({ ...each, paths: ['/spec/tool'] }))
  t.strictSame(
    [rollouts, JOBS, DEPLOYMENTS].map((kind) => isPromoted(kind, fields)),
    [true, false, true],
  )
  const named = { group: 'example.com', kind: 'Deployment' }
  t.equal(isPromoted(named, []), false, 'a kind of the same name')
  t.equal(isPromoted({ group: '', kind: 'ConfigMap' }, fields), false)
  t.end()
})

t.test('in which namespaces nothing is moved', (t) => {
  const rows: [object | undefined, string | undefined][] = [
    [undefined, 'its namespace is gone'],
    [{ deletionTimestamp: '2026-11-24T12:00:00Z' }, 'its namespace is being deleted'],
    [{ annotations: { 'tagwarden.io/hold': 'true' } }, 'its namespace has tagwarden.io/hold'],
    [{ annotations: { 'tagwarden.io/hold': 'false' } }, undefined],
    [{ annotations: {} }, undefined],
    [{}, undefined],
  ]
  for (const [metadata, why] of rows) {
    const namespace = metadata && { metadata: { name: 'shop', ...metadata } }
    t.equal(whyNamespaceUnmoved(namespace), why, JSON.stringify(metadata))
  }
  t.end()
})

t.test('a digest that a tag had before this process led is no reason to move', async (t) => {
  const follow = trackAll({ rule: { order: { digest: { follow: 'stable' } } } })
  const image = `${WEB}:stable@${digest('2')}`
  const record = { container: 'app', requested: `${WEB}:stable`, resolved: image, policy: 'x' }
  const annotations = { 'tagwarden.io/images': JSON.stringify([record]) }
  const containers = [{ name: 'app', image }]
  const object = {
    ...running('a', 'v1.4.2', { metadata: { annotations } }),
    spec: { template: { spec: { containers } } },
  }
  const moves = async (checkedAt: number) => {
    const stable = { digest: digest('3'), checkedAt }
    const seen = source([snapshot(WEB, { stable })])
    const { found } = survey(({ kind }) => (kind === 'Deployment' ? [[object]] : []), {
      policies: [follow],
      facts: seen,
    })
    return (await found).get('ImagePolicy shop/web')?.moves
  }
  t.strictSame((await moves(NOW - 1)) ?? [], [])
  t.match(await moves(NOW), [{ versions: [`${WEB} ${digest('3')}`] }])
})

t.test('a few namespaces are listed one by one, many by one list of all', async (t) => {
  const few = survey(() => [], { names: ['shop', 'pay'] })
  await few.found
  t.strictSame([...new Set(few.lists)], ['shop', 'pay'])
  const many = survey(() => [], { names: Array.from({ length: 30 }, (_, index) => `n${index}`) })
  await many.found
  t.strictSame(many.lists, [undefined, undefined, undefined, undefined], 'one for each kind')
})

t.test('hostile objects are looked at without harm', async (t) => {
  const hostile = [
    { metadata: { name: 'a', namespace: 'shop' } },
    { metadata: { name: '__proto__', namespace: 'shop', annotations: null }, spec: null },
    { metadata: { name: 'x'.repeat(300), namespace: 'shop' }, spec: { template: [] } },
    running('b', 'v1.4.2', { metadata: { annotations: { 'tagwarden.io/images': '[[]]' } } }),
    running('c', 'v1.4.2', { metadata: { annotations: { 'tagwarden.io/images': '\u0000' } } }),
  ]
  const { found } = survey(({ kind }) => (kind === 'Deployment' ? [hostile] : []))
  t.equal((await found).get('ImagePolicy shop/web')?.moves.length ?? 0, 0)
})

t.test('what may not be moved any more, once all is known, is not written', async (t) => {
  const policy = trackAll()
  const cluster = createFakeCluster()
  cluster.put(NAMESPACES, { metadata: { name: 'shop' } })
  cluster.put(DEPLOYMENTS, running('a', 'v1.4.2') as never)
  const move = (may: boolean) =>
    moveWorkload(
      { resource: DEPLOYMENTS, namespace: 'shop', name: 'a' },
      {
        ...{ cluster, policy, review: reviewOptions([policy], { source: facts() }) },
        ...{ patience: createPatience(() => () => {}, Math.random), clock: () => NOW, since: NOW },
        mayMove: () => may,
      },
      new AbortController().signal,
    )
  const writes = () => cluster.calls.filter(({ verb }) => verb === 'patch').length
  t.match(await move(false), { result: 'unmoved', why: 'it may not be moved now' })
  t.equal(writes(), 0)
  t.match(await move(true), { result: 'moved' })
})
