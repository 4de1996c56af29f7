import t, { type Test } from 'tap'
import {
  type KubernetesObject,
  MUTATING_WEBHOOK_CONFIGURATIONS as MUTATING,
  type ResourceName,
  VALIDATING_WEBHOOK_CONFIGURATIONS as VALIDATING,
} from '../../src/cluster/index.ts'
import { LINGER } from '../../src/webhooks/lingering.ts'
import type { Webhook, WebhookConfiguration } from '../../src/webhooks/types.ts'
import { waitFor } from '../cluster/control-plane.ts'
import { createFakeCluster, type FakeCluster } from '../fakes/cluster.ts'
import { closing, lead } from './replica.ts'

const NAME = { name: 'tagwarden' }
const ROLES: ResourceName = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterroles',
  kind: 'ClusterRole',
  namespaced: false,
}
const SOON = { what: 'it is put right' }

const read = (cluster: FakeCluster, resource: ResourceName) =>
  cluster.all<WebhookConfiguration>(resource).find(({ metadata }) => metadata.name === NAME.name)
const webhooksOf = (cluster: FakeCluster, resource = VALIDATING): readonly Webhook[] =>
  read(cluster, resource)?.webhooks ?? []
const webhook = (cluster: FakeCluster, name: string) =>
  webhooksOf(cluster).find((each) => each.name === `${name}.tagwarden.io`)
const writes = (cluster: FakeCluster) =>
  cluster.calls.filter(
    ({ verb, resource }) => /create|replace|patch|remove/.test(verb) && /webhook/.test(resource),
  )

const right = (leader: { controller: { problem(): string | undefined } }) =>
  waitFor(() => leader.controller.problem() === undefined, { what: 'all is right' })

t.test('both configurations are made, and say whose they are', async (t) => {
  const cluster = createFakeCluster()
  cluster.put(ROLES, { metadata: NAME })
  const annotations = ['cert-manager.io/inject-ca-from=a/b', 'x=y=z']
  const leader = await lead(t, cluster, { annotations })
  await right(leader)
  for (const resource of [MUTATING, VALIDATING]) {
    const { metadata } = read(cluster, resource)!
    t.match(metadata, {
      labels: { 'app.kubernetes.io/name': 'tagwarden', 'app.kubernetes.io/instance': 'tagwarden' },
      annotations: {
        'admissions.enforcer/disabled': 'true',
        'cert-manager.io/inject-ca-from': 'a/b',
        x: 'y=z',
      },
      ownerReferences: [{ kind: 'ClusterRole', name: 'tagwarden' }],
    })
  }
  t.strictSame(
    webhooksOf(cluster, MUTATING).map(({ name, failurePolicy }) => [name, failurePolicy]),
    [
      ['mutate.tagwarden.io', 'Ignore'],
      ['probe.tagwarden.io', 'Fail'],
    ],
  )
  t.strictSame(
    webhooksOf(cluster).map(({ name, failurePolicy }) => [name, failurePolicy]),
    [
      ['validate.tagwarden.io', 'Ignore'],
      ['policies.tagwarden.io', 'Ignore'],
      ['probe.tagwarden.io', 'Fail'],
    ],
  )
  const { ca } = leader.certificates.current()
  for (const each of [...webhooksOf(cluster), ...webhooksOf(cluster, MUTATING)]) {
    t.equal(Buffer.from(each.clientConfig.caBundle ?? '', 'base64').toString(), ca)
    t.match(each.clientConfig.service, { namespace: 'tagwarden', name: 'tagwarden', port: 443 })
  }
  await waitFor(() => leader.certificates.trusted(), { what: 'it is trusted' })
})

t.test('the next leader finds all as it should be, and writes nothing', async (t) => {
  const cluster = createFakeCluster()
  const first = await lead(t, cluster)
  await right(first)
  await first.stop()
  const { length } = writes(cluster)
  const second = await lead(t, cluster)
  await right(second)
  t.equal(writes(cluster).length, length)
})

t.test('settings reach every webhook', async (t) => {
  const rows: [timeout: number, seconds: number][] = [
    [1_000, 1],
    [1_500, 2],
    [10_000, 10],
    [30_000, 30],
    [99_000, 30],
  ]
  for (const [timeout, seconds] of rows) {
    const cluster = createFakeCluster()
    const leader = await lead(t, cluster, { timeout, url: 'https://127.0.0.1:1/', port: 8443 })
    await right(leader)
    for (const { timeoutSeconds, clientConfig } of webhooksOf(cluster)) {
      t.equal(timeoutSeconds, seconds)
      t.match(clientConfig.url, /^https:\/\/127\.0\.0\.1:1\/[a-z-]+$/)
      t.equal(clientConfig.service, undefined)
    }
    await leader.stop()
  }
})

t.test('a policy closes its namespace, and what is excluded stays open', async (t) => {
  const cluster = createFakeCluster()
  const leader = await lead(t, cluster, { excludedNamespaces: ['quiet'] })
  await right(leader)
  leader.policies.set([closing('shop'), closing('quiet')])
  await waitFor(() => webhook(cluster, 'closed.validate') !== undefined, SOON)
  t.strictSame(webhook(cluster, 'closed.validate')?.namespaceSelector.matchExpressions, [
    { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['shop'] },
  ])
  t.equal(webhook(cluster, 'closed.validate')?.failurePolicy, 'Fail')
  t.strictSame(
    webhooksOf(cluster, MUTATING).map(({ name, failurePolicy }) => [name, failurePolicy]),
    [
      ['mutate.tagwarden.io', 'Ignore'],
      ['closed.mutate.tagwarden.io', 'Fail'],
      ['probe.tagwarden.io', 'Fail'],
    ],
  )
  t.strictSame(webhook(cluster, 'validate')?.namespaceSelector.matchExpressions, [
    {
      key: 'kubernetes.io/metadata.name',
      operator: 'NotIn',
      values: ['kube-system', 'quiet', 'shop', 'tagwarden'],
    },
  ])
  t.match(leader.lines.join('\n'), /onUnavailable: Deny has no effect in quiet/)
  leader.policies.set([])
  await waitFor(() => webhook(cluster, 'closed.validate') === undefined, SOON)
})

t.test('a policy that closes its namespace is in force within a second', async (t) => {
  const times: number[] = []
  for (let round = 0; round < 3; round += 1) {
    const cluster = createFakeCluster()
    const leader = await lead(t, cluster)
    await right(leader)
    // It writes once a second at most.
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const begun = performance.now()
    leader.policies.set([closing('shop')])
    await waitFor(() => webhook(cluster, 'closed.validate') !== undefined, SOON)
    times.push(Math.round(performance.now() - begun))
  }
  // A busy machine may hold up one, not each of them.
  t.ok(Math.min(...times) < 1_000, `${times} ms`)
})

t.test(
  'a policy that closes and opens without end costs few writes, and closes at once',
  async (t) => {
    const cluster = createFakeCluster()
    let now = Date.now()
    const leader = await lead(t, cluster, {}, { clock: () => now })
    await right(leader)
    const { length } = writes(cluster)
    now += 1_000
    for (let round = 0; round < 30; round += 1) {
      leader.policies.set([closing('shop')])
      await waitFor(() => webhook(cluster, 'closed.validate') !== undefined, SOON)
      leader.policies.set([])
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    t.equal(writes(cluster).length - length, 2, 'one for each configuration')
    const opened = () => {
      now += LINGER / 10
      leader.policies.set([])
      return webhook(cluster, 'closed.validate') === undefined
    }
    await waitFor(opened, { what: 'it is opened' })
    t.equal(writes(cluster).length - length, 4)

    const began = now
    const names = Array.from({ length: 30 }, (_, at) => `ns-${at}`)
    for (const name of names) {
      now += 100
      leader.policies.set([closing(name)])
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const closed = () => {
      now += 50
      leader.policies.set([closing('ns-29')])
      return JSON.stringify(webhooksOf(cluster)).includes('ns-29')
    }
    await waitFor(closed, { what: 'the last one is closed' })
    const most = 2 * (2 + Math.ceil((now - began) / 1_000))
    const made = writes(cluster).length - length - 4
    t.ok(made <= most, `${made} writes for 30 namespaces, no more than ${most}`)
  },
)

t.test('cluster policies close by label; no namespace is asked about twice', async (t) => {
  const cluster = createFakeCluster()
  const leader = await lead(t, cluster)
  await right(leader)
  const policy = (name: string, namespaceSelector: object | undefined) => ({
    kind: 'ClusterImagePolicy' as const,
    namespace: undefined,
    name,
    onUnavailable: 'Deny' as const,
    namespaceSelector,
  })
  const prod = { matchLabels: { tier: 'prod' } }
  leader.policies.set([
    closing('shop'),
    policy('prod', prod),
    policy('Odd_Name', { matchLabels: { a: 'b', c: 'd' } }),
  ])
  await waitFor(() => webhooksOf(cluster).length === 6, SOON)
  const names = webhooksOf(cluster).map(({ name }) => name)
  t.match(names, [
    'validate.tagwarden.io',
    'closed.validate.tagwarden.io',
    /^p-[0-9a-f]{16}\.closed\.validate\.tagwarden\.io$/,
    'prod.closed.validate.tagwarden.io',
  ])
  t.match(webhook(cluster, 'validate')?.namespaceSelector.matchExpressions?.[1], {
    key: 'tier',
    operator: 'NotIn',
    values: ['prod'],
  })
  t.strictSame(webhook(cluster, 'prod.closed.validate')?.namespaceSelector.matchExpressions, [
    {
      key: 'kubernetes.io/metadata.name',
      operator: 'NotIn',
      values: ['kube-system', 'shop', 'tagwarden'],
    },
    { key: 'tier', operator: 'In', values: ['prod'] },
  ])
  leader.policies.set([policy('all', undefined)])
  await waitFor(() => webhook(cluster, 'validate') === undefined, SOON)
  t.strictSame(webhook(cluster, 'closed.validate')?.namespaceSelector.matchExpressions, [
    { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'tagwarden'] },
  ])
})

t.test('what somebody else deletes or changes is put right within a second', async (t) => {
  const edits: [title: string, edit: (cluster: FakeCluster, good: WebhookConfiguration) => void][] =
    [
      ['deleted', (cluster) => cluster.drop(VALIDATING, NAME)],
      ['no webhooks', (cluster, good) => cluster.put(VALIDATING, { metadata: good.metadata })],
      [
        'fails closed',
        (cluster, good) =>
          cluster.put<WebhookConfiguration>(VALIDATING, {
            ...good,
            webhooks: good.webhooks!.map((each) => ({ ...each, failurePolicy: 'Fail' })),
          }),
      ],
      [
        'no CA',
        (cluster, good) =>
          cluster.put<WebhookConfiguration>(VALIDATING, {
            ...good,
            webhooks: good.webhooks!.map((each) => ({
              ...each,
              clientConfig: { ...each.clientConfig, caBundle: '' },
            })),
          }),
      ],
      [
        'garbage for a CA',
        (cluster, good) =>
          cluster.put<WebhookConfiguration>(VALIDATING, {
            ...good,
            webhooks: good.webhooks!.map((each) => ({
              ...each,
              clientConfig: { ...each.clientConfig, caBundle: '%%%' },
            })),
          }),
      ],
      [
        'another webhook in it',
        (cluster, good) =>
          cluster.put<WebhookConfiguration>(VALIDATING, {
            ...good,
            webhooks: [...good.webhooks!, { ...good.webhooks![0]!, name: 'evil.example.com' }],
          }),
      ],
      [
        'a label of ours',
        (cluster, good) =>
          cluster.put(VALIDATING, { ...good, metadata: { ...good.metadata, labels: {} } }),
      ],
    ]
  const times: number[] = []
  for (const [title, edit] of edits) {
    const cluster = createFakeCluster()
    const leader = await lead(t, cluster)
    await right(leader)
    const good = read(cluster, VALIDATING)!
    const shown = () => {
      const { metadata, webhooks } = read(cluster, VALIDATING) ?? { metadata: {} }
      return JSON.stringify([metadata.labels, webhooks])
    }
    const expected = JSON.stringify([good.metadata.labels, good.webhooks])
    const begun = performance.now()
    edit(cluster, good)
    await waitFor(() => shown() === expected, { what: `put right: ${title}` })
    times.push(Math.round(performance.now() - begun))
    await leader.stop()
  }
  // A busy machine may hold up one, not each of them.
  t.ok(Math.min(...times) < 1_000, `${times} ms`)
})

t.test('labels, annotations and owners that others add stay', async (t) => {
  const cluster = createFakeCluster()
  const leader = await lead(t, cluster)
  await right(leader)
  const good = read(cluster, MUTATING)!
  cluster.put(MUTATING, {
    ...good,
    metadata: {
      ...good.metadata,
      labels: { ...good.metadata.labels, team: 'a' },
      ownerReferences: [{ uid: 'other' }],
    },
    webhooks: [],
  })
  await waitFor(() => webhooksOf(cluster, MUTATING).length === 2, SOON)
  t.match(read(cluster, MUTATING)?.metadata, {
    labels: { team: 'a' },
    ownerReferences: [{ uid: 'other' }],
  })
})

t.test('somebody who keeps changing it is undone ever more slowly, and named', async (t) => {
  const cluster = createFakeCluster()
  let now = Date.now()
  const repaired: number[] = []
  const leader = await lead(t, cluster, {}, { clock: () => now })
  await right(leader)
  const fight = () => {
    const live = read(cluster, VALIDATING)!
    if (live.webhooks?.length === 0) return
    const managedFields = [{ manager: 'fighter', time: new Date(now).toISOString() }]
    cluster.put(VALIDATING, {
      ...live,
      metadata: { ...live.metadata, managedFields },
      webhooks: [],
    })
  }
  const { replace } = cluster
  cluster.replace = (...args) => {
    repaired.push(now)
    return replace(...args)
  }
  await waitFor(
    () => {
      now += 150
      fight()
      // It looks again, and finds that it has to wait.
      leader.policies.set([])
      return repaired.length === 6
    },
    { what: 'it is put right six times' },
  )
  const pauses = repaired.slice(1).map((at, index) => at - (repaired[index] ?? 0))
  for (const [index, least] of [1_000, 2_000, 4_000].entries()) {
    t.ok((pauses[index + 2] ?? 0) >= least, `${pauses} ms`)
  }
  t.match(leader.lines.join('\n'), /keeps changing ValidatingWebhookConfiguration tagwarden/)
  t.match(leader.events, [
    {
      about: { kind: 'Deployment', namespace: 'tagwarden', name: 'tagwarden' },
      reason: 'WebhookConfigurationChanged',
      message: /fighter/,
    },
  ])
})

t.test('with an injected CA bundle, the bundle is left alone and the rest put right', async (t) => {
  const cluster = createFakeCluster()
  const leader = await lead(t, cluster, { caBundle: 'Injected' })
  await right(leader)
  const ca = Buffer.from(leader.certificates.current().ca).toString('base64')
  for (const { clientConfig } of webhooksOf(cluster)) {
    t.equal(clientConfig.caBundle, ca, 'until it is injected, the CA of the certificate counts')
  }
  const inject = (more: object) => {
    const now = read(cluster, VALIDATING)!
    cluster.put<WebhookConfiguration>(VALIDATING, {
      ...now,
      webhooks: now.webhooks!.map((each) => ({
        ...each,
        ...more,
        clientConfig: { ...each.clientConfig, caBundle: 'aW5qZWN0ZWQ=' },
      })),
    })
  }
  inject({})
  const { length } = writes(cluster)
  leader.policies.set([closing('shop')])
  await waitFor(() => webhook(cluster, 'closed.validate') !== undefined, SOON)
  const made = writes(cluster).slice(length)
  t.equal(made.length, 2, 'only the policy made writes, one for each configuration')
  inject({ failurePolicy: 'Fail' })
  await waitFor(() => webhook(cluster, 'validate')?.failurePolicy === 'Ignore', SOON)
  for (const { clientConfig } of webhooksOf(cluster)) t.equal(clientConfig.caBundle, 'aW5qZWN0ZWQ=')
})

t.test('without the right to write, it says so once and goes on trying', async (t) => {
  const cluster = createFakeCluster()
  const allow = cluster.refuse('create', VALIDATING, 'Forbidden')
  const leader = await lead(t, cluster)
  await waitFor(() => leader.events.length > 0, { what: 'it is told' })
  t.match(leader.controller.problem(), /can't be kept right/)
  t.equal(leader.events[0]?.reason, 'WebhookConfigurationFailed')
  t.notOk(leader.certificates.trusted(), 'not until both configurations have the CA')
  allow()
  await right(leader)
  t.equal(leader.lines.filter((line) => /can't be kept right/.test(line)).length, 1)
  t.equal(leader.lines.filter((line) => /right again/.test(line)).length, 1)
})

t.test('an API server that does not answer for a while is waited for', async (t) => {
  const cluster = createFakeCluster()
  const leader = await lead(t, cluster)
  await right(leader)
  cluster.available = false
  leader.policies.set([closing('shop')])
  await waitFor(() => leader.controller.problem() !== undefined, { what: 'it is told' })
  cluster.available = true
  await right(leader)
  await waitFor(() => webhook(cluster, 'closed.validate') !== undefined, SOON)
})

/** Its ClusterRole and its configurations were deleted, and the leader has noticed. */
async function withoutRole(t: Test): Promise<FakeCluster> {
  const cluster = createFakeCluster()
  cluster.put(ROLES, { metadata: NAME })
  const leader = await lead(t, cluster)
  await right(leader)
  cluster.drop(ROLES, NAME)
  for (const resource of [MUTATING, VALIDATING]) cluster.drop(resource, NAME)
  await waitFor(() => /being removed/.test(leader.controller.problem() ?? ''), {
    what: 'it is noticed',
  })
  return cluster
}

t.test('once its ClusterRole is gone, the configurations are not made again', async (t) => {
  const cluster = await withoutRole(t)
  t.equal(read(cluster, MUTATING), undefined)
  t.equal(read(cluster, VALIDATING), undefined)
})

t.test('a ClusterRole that is replaced costs seconds', async (t) => {
  const cluster = await withoutRole(t)
  const { metadata }: KubernetesObject = cluster.put<KubernetesObject>(ROLES, { metadata: NAME })
  await waitFor(() => webhooksOf(cluster, MUTATING).length > 0 && webhooksOf(cluster).length > 0, {
    timeout: 60_000,
    what: 'they are made again',
  })
  t.match(read(cluster, VALIDATING)?.metadata.ownerReferences, [{ uid: metadata.uid }])
})

t.test('nor by a replica that comes to lead only then', async (t) => {
  const cluster = createFakeCluster()
  const { metadata }: KubernetesObject = cluster.put<KubernetesObject>(ROLES, { metadata: NAME })
  cluster.drop(ROLES, NAME)
  const { uid } = metadata
  const leader = await lead(t, cluster, {}, { owner: { kind: 'ClusterRole', ...NAME, uid } })
  await waitFor(() => /being removed/.test(leader.controller.problem() ?? ''), {
    what: 'it is noticed',
  })
  t.equal(read(cluster, MUTATING), undefined)
  t.equal(read(cluster, VALIDATING), undefined)
})

t.test('nothing is done where webhooks are not to be managed', async (t) => {
  const cluster = createFakeCluster()
  const leader = await lead(t, cluster, { manage: 'Never' })
  await leader.stop()
  t.strictSame(writes(cluster), [])
  t.ok(leader.certificates.trusted())
})

t.test('nothing is written after the leadership is lost', async (t) => {
  const cluster = createFakeCluster()
  const leader = await lead(t, cluster)
  await right(leader)
  const probed = () => leader.controller.probe().lastProbe !== undefined
  await waitFor(probed, { what: 'the webhooks are probed' })
  await leader.stop()
  t.equal(probed(), false, 'who leads now proves it')
  t.equal(leader.policies.listeners.size, 0)
  cluster.drop(VALIDATING, NAME)
  leader.policies.set([closing('shop')])
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.equal(read(cluster, VALIDATING), undefined)
})

t.test('of two that believe to lead, none overwrites what it has not seen', async (t) => {
  const cluster = createFakeCluster()
  const leaders = await Promise.all([lead(t, cluster), lead(t, cluster)])
  await Promise.all(leaders.map(right))
  const versions = cluster
    .all<KubernetesObject>(VALIDATING)
    .map(({ metadata }) => metadata.resourceVersion)
  t.equal(versions.length, 1)
  t.ok(writes(cluster).length <= 4)
})
