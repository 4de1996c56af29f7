import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type BackgroundAuditOptions, createBackgroundAudit } from '../../src/audit/index.ts'
import {
  CLUSTER_POLICY_REPORTS,
  CLUSTER_REPORTS,
  DEPLOYMENTS,
  type KubernetesObject,
  PODS,
  POLICY_REPORTS,
  REPORTS,
} from '../../src/cluster/index.ts'
import type { FakeCluster } from '../fakes/cluster.ts'
import { NOW } from '../fakes/facts.ts'
import { fakeTime } from '../promotion/world.ts'
import { deployment, newCluster, reviewBy, WEB } from './stage.ts'

const SECOND = 1_000
const HOUR = 3_600_000

function lead(t: Test, cluster: FakeCluster, more: Partial<BackgroundAuditOptions> = {}) {
  const time = fakeTime(NOW)
  const log: string[] = []
  const listeners = new Set<() => void>()
  const write = (_: object, message: string) => void log.push(message)
  const background = createBackgroundAudit({
    ...{ cluster, review: reviewBy(), name: 'tagwarden', version: '0.1.0', interval: HOUR },
    onPolicies: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    customKinds: async () => [],
    excludedNamespaces: new Set(['kube-system']),
    log: { info: write, warn: write },
    ...{ clock: time.clock, timer: time.timer },
    ...more,
  })
  const end = new AbortController()
  const leading = background.lead(end.signal)
  const stop = async () => {
    end.abort()
    await leading
  }
  t.teardown(stop)
  return {
    ...time,
    log,
    background,
    stop,
    changePolicies: () => {
      for (const each of listeners) each()
    },
    listeners,
  }
}

const written = (cluster: FakeCluster) =>
  cluster.calls
    .filter(
      ({ verb, resource }) =>
        /reports/.test(resource) && ['create', 'replace', 'remove'].includes(verb),
    )
    .map(({ verb, resource, key }) => `${verb} ${resource} ${key}`)

const audits = (cluster: FakeCluster) =>
  cluster.calls.filter(({ verb, resource }) => verb === 'list' && resource === 'pods').length

t.test(
  'each namespace gets a report, which is written when it changes and removed when it is empty',
  async (t) => {
    const cluster = newCluster()
    cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:latest`))
    cluster.put(DEPLOYMENTS, deployment('far', `${WEB}:latest`, { namespace: 'far' }))
    cluster.put(DEPLOYMENTS, deployment('dns', `${WEB}:latest`, { namespace: 'kube-system' }))
    const { pass, background, log } = lead(t, cluster)
    t.equal(background.last(), undefined)
    await pass(60 * SECOND)
    t.strictSame(written(cluster).sort(), [
      'create reports.openreports.io far/tagwarden',
      'create reports.openreports.io shop/tagwarden',
    ])
    t.match(cluster.all(REPORTS, { namespace: 'shop' }), [
      {
        apiVersion: 'openreports.io/v1alpha1',
        kind: 'Report',
        summary: { fail: 1 },
        results: [{ rule: 'LatestTag' }],
      },
    ])
    t.strictSame(cluster.all(POLICY_REPORTS), [], 'one group is enough')
    t.strictSame([...(background.last()?.series ?? [])].sort(), [
      ['(defaults)\0far\0LatestTag', 1],
      ['ImagePolicy shop/web\0shop\0LatestTag', 1],
    ])
    t.match(log, ['what runs was audited'])

    cluster.calls.length = 0
    await pass(HOUR + 60 * SECOND)
    t.equal(audits(cluster), 1)
    t.strictSame(written(cluster), [], 'nothing has changed')

    cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:v1.4.1`))
    cluster.drop(DEPLOYMENTS, { namespace: 'far', name: 'far' })
    await pass(HOUR + 60 * SECOND)
    t.strictSame(written(cluster).sort(), [
      'remove reports.openreports.io far/tagwarden',
      'replace reports.openreports.io shop/tagwarden',
    ])
  },
)

t.test('a changed policy brings the next audit forward, however many change', async (t) => {
  const cluster = newCluster()
  cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:latest`))
  const { pass, changePolicies, stop, listeners, background } = lead(t, cluster)
  await pass(40 * SECOND)
  t.equal(audits(cluster), 1)
  for (let index = 0; index < 100; index += 1) changePolicies()
  await pass(30 * SECOND)
  t.equal(audits(cluster), 1, 'not at once')
  await pass(60 * SECOND)
  t.equal(audits(cluster), 2)
  await pass(600 * SECOND)
  t.equal(audits(cluster), 2, 'and then at its interval')
  await stop()
  t.equal(listeners.size, 0)
  t.equal(background.last(), undefined, 'who leads no more says nothing')
})

t.test(
  'where only PolicyReports are served these are written, and left behind for Reports later',
  async (t) => {
    const cluster = newCluster()
    cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:latest`))
    cluster.serve(REPORTS, false)
    cluster.serve(CLUSTER_REPORTS, false)
    const { pass } = lead(t, cluster)
    await pass(60 * SECOND)
    t.match(cluster.all(POLICY_REPORTS), [
      { apiVersion: 'wgpolicyk8s.io/v1alpha2', kind: 'PolicyReport' },
    ])
    cluster.serve(REPORTS, true)
    await pass(HOUR + 60 * SECOND)
    t.equal(cluster.all(POLICY_REPORTS).length, 0)
    t.equal(cluster.all(REPORTS).length, 1)
  },
)

t.test('reports go with the installation', async (t) => {
  const cluster = newCluster()
  cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:latest`))
  const owner = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'gate' }
  const { pass } = lead(t, cluster, { owner: async () => ({ ...owner, uid: 'abc' }) })
  await pass(60 * SECOND)
  t.match(cluster.all(REPORTS), [{ metadata: { ownerReferences: [{ ...owner, uid: 'abc' }] } }])
})

t.test('without any kind of report there are still figures', async (t) => {
  const cluster = newCluster()
  cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:latest`))
  for (const each of [REPORTS, CLUSTER_REPORTS, POLICY_REPORTS, CLUSTER_POLICY_REPORTS])
    cluster.serve(each, false)
  const { pass, background, log } = lead(t, cluster)
  await pass(60 * SECOND)
  t.equal(background.last()?.series.size, 1)
  t.strictSame(log, ['what runs was audited'])
})

t.test('reports of others stay, also one of the same name', async (t) => {
  const cluster = newCluster()
  cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:latest`))
  const foreign = { metadata: { name: 'tagwarden', namespace: 'shop' }, results: [] }
  const other = {
    metadata: {
      name: 'kyverno',
      namespace: 'shop',
      labels: { 'app.kubernetes.io/managed-by': 'kyverno' },
    },
  }
  cluster.put<KubernetesObject>(REPORTS, foreign)
  cluster.put<KubernetesObject>(REPORTS, other)
  const { pass, log } = lead(t, cluster)
  await pass(60 * SECOND)
  t.match(
    cluster.all(REPORTS).map(({ metadata }) => metadata.resourceVersion),
    [String, String],
  )
  t.notOk(
    cluster.all<KubernetesObject & { summary?: unknown }>(REPORTS).some(({ summary }) => summary),
  )
  t.match(log, [/^Report shop\/tagwarden is not written: /, 'what runs was audited'])
})

t.test('what was not seen as a whole is not published, and is looked at again soon', async (t) => {
  const cluster = newCluster()
  cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:latest`))
  cluster.put(PODS, {
    metadata: { name: 'alone', namespace: 'shop' },
    spec: { containers: [] },
  } as never)
  const allow = cluster.refuse('list', DEPLOYMENTS, 'Timeout')
  const { pass, background, log } = lead(t, cluster)
  await pass(60 * SECOND)
  t.strictSame(written(cluster), [])
  t.equal(background.last(), undefined)
  t.match(log[0], /^what runs was not all seen: /)
  allow()
  await pass(180 * SECOND)
  t.strictSame(written(cluster), ['create reports.openreports.io shop/tagwarden'])
})

t.test('it goes at a low pace, and ends in the middle when it leads no more', async (t) => {
  const cluster = newCluster()
  for (let index = 0; index < 400; index += 1) {
    cluster.put(DEPLOYMENTS, deployment(`web-${index}`, `${WEB}:latest`))
  }
  const { pass, stop, background } = lead(t, cluster)
  await pass(31 * SECOND)
  t.equal(background.last(), undefined, '400 objects take two seconds')
  await stop()
  await setImmediate()
  t.strictSame(written(cluster), [])
})
