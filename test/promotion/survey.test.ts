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
import { isPromoted, promotedResources } from '../../src/promotion/movable.ts'
import { surveyWorkloads } from '../../src/promotion/survey.ts'
import { reviewOptions } from '../admission/reviews.ts'
import { createFakeCluster } from '../fakes/cluster.ts'
import { digest, NOW, snapshot, source } from '../fakes/facts.ts'
import { running, trackAll, WEB } from './world.ts'

const facts = () =>
  source([snapshot(WEB, { 'v1.4.2': { digest: digest('2') }, 'v1.4.3': { digest: digest('3') } })])

function survey(pages: (resource: ResourceName) => Iterable<object[]>, names: string[] = ['shop']) {
  const policies = names.map((namespace) => trackAll({ namespace }))
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
      ...{ cluster, review: reviewOptions(policies, { source: facts() }), clock: () => NOW },
      ...{ since: NOW, customKinds: async () => [], excludedNamespaces: new Set<string>() },
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
  t.end()
})

t.test('a few namespaces are listed one by one, many by one list of all', async (t) => {
  const few = survey(() => [], ['shop', 'pay'])
  await few.found
  t.strictSame([...new Set(few.lists)], ['shop', 'pay'])
  const many = survey(
    () => [],
    Array.from({ length: 30 }, (_, index) => `n${index}`),
  )
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
