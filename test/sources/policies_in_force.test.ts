import t from 'tap'
import {
  CLUSTER_IMAGE_POLICIES,
  FLUX_IMAGE_POLICIES,
  FLUX_IMAGE_REPOSITORIES,
  IMAGE_POLICIES,
  NAMESPACES,
} from '../../src/cluster/index.ts'
import { compilePolicies, UNKNOWN_LABELS } from '../../src/policies/index.ts'
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

t.test(
  'where labels may not be read, policies that select by them apply, as at admission',
  async (t) => {
    const cluster = createFakeCluster()
    cluster.refuse('list', NAMESPACES, 'Forbidden', { times: 1 })
    cluster.put(NAMESPACES, { metadata: { name: 'shop', labels: { tier: 'back' } } })
    const order = { alphabetical: {} }
    const spec = { images: ['**'], order, namespaceSelector: { matchLabels: { tier: 'front' } } }
    cluster.put(CLUSTER_IMAGE_POLICIES, { metadata: { name: 'guard' }, spec })
    const live = await readPoliciesInForce(cluster)
    const { set } = compilePolicies(live.resources)
    t.match(lackingLabels(live, [set]), [
      {
        code: 'ERR_CLUSTER',
        message: /^labels of namespaces are not known, so policies that select/,
      },
    ])
    t.equal(live.namespaceLabels('shop'), UNKNOWN_LABELS)
    t.not(live.namespaceLabels(''), UNKNOWN_LABELS, 'a cluster-scoped object has no namespace')
    t.strictSame(lackingLabels(live, [compilePolicies([]).set, undefined]), [])
    const readable = await readPoliciesInForce(cluster)
    t.strictSame(lackingLabels(readable, [set]), [], 'they may be read')
    t.strictSame(readable.namespaceLabels('shop'), { tier: 'back' })

    const selector = { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } }
    cluster.put(CLUSTER_IMAGE_POLICIES, {
      metadata: { name: 'guard' },
      spec: { ...spec, namespaceSelector: selector },
    })
    cluster.refuse('list', NAMESPACES, 'Forbidden', { times: 1 })
    const byName = await readPoliciesInForce(cluster)
    t.strictSame(lackingLabels(byName, [compilePolicies(byName.resources).set]), [], 'a name tells')
  },
)
