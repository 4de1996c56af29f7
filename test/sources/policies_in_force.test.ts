import t from 'tap'
import {
  CLUSTER_IMAGE_POLICIES,
  FLUX_IMAGE_POLICIES,
  FLUX_IMAGE_REPOSITORIES,
  IMAGE_POLICIES,
  NAMESPACES,
} from '../../src/cluster/index.ts'
import { compilePolicies } from '../../src/policies/index.ts'
import { lackingLabels, readPoliciesInForce } from '../../src/sources/cluster.ts'
import { createFakeCluster } from '../fakes/cluster.ts'

t.test('what nobody serves is not told as forbidden', async (t) => {
  const cluster = createFakeCluster()
  for (const resource of [FLUX_IMAGE_POLICIES, FLUX_IMAGE_REPOSITORIES, IMAGE_POLICIES]) {
    cluster.refuse('list', resource, 'Forbidden', { times: 2 })
  }
  const reader = {
    pages: cluster.pages,
    get: cluster.get,
    serves: async ({ group }: { group: string }) => group === 'tagwarden.io',
  }
  const { problems, isServed } = await readPoliciesInForce(reader)
  t.match(problems, [{ code: 'ERR_CLUSTER', message: /imagepolicies\.tagwarden\.io/ }])
  t.equal(problems.length, 1)
  t.equal(isServed, true)
})

t.test('labels that may not be read are told where a policy selects by them', async (t) => {
  const cluster = createFakeCluster()
  cluster.refuse('list', NAMESPACES, 'Forbidden', { times: 1 })
  const order = { alphabetical: {} }
  const spec = { images: ['**'], order, namespaceSelector: { matchLabels: { tier: 'front' } } }
  cluster.put(CLUSTER_IMAGE_POLICIES, { metadata: { name: 'guard' }, spec })
  const live = await readPoliciesInForce(cluster)
  const { set } = compilePolicies(live.resources)
  t.match(lackingLabels(live, [set]), [
    { code: 'ERR_CLUSTER', message: /^policies with a namespaceSelector are left out: / },
  ])
  t.strictSame(lackingLabels(live, [compilePolicies([]).set, undefined]), [])
  t.strictSame(lackingLabels(await readPoliciesInForce(cluster), [set]), [], 'they may be read')
})
