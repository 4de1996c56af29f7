import t from 'tap'
import { affectedBy } from '../../src/audit/index.ts'
import {
  type Cluster,
  ClusterError,
  DEPLOYMENTS,
  PODS,
  STATEFUL_SETS,
} from '../../src/cluster/index.ts'
import { policy } from '../fakes/facts.ts'
import { audited, deployment, newCluster, ownedBy, pod, reviewBy, rollOut, WEB } from './stage.ts'

function affected(cluster: Pick<Cluster, 'pages'>, more: object = {}) {
  return affectedBy({
    cluster,
    review: reviewBy([policy({ action: 'Track', movedTags: 'Allow' })]),
    name: WEB,
    ...more,
  })
}

t.test(
  'each workload with an image of the repository is found once, with what becomes of it',
  async (t) => {
    const cluster = newCluster()
    rollOut(cluster, 'web', `${WEB}:v1.4.1`, [
      [`${WEB}:v1.4.1`, ''],
      [`${WEB}:v1.4.1`, ''],
    ])
    rollOut(cluster, 'bad', `${WEB}:latest`, [], { namespace: 'shop' })
    cluster.put(STATEFUL_SETS, deployment('other', 'ghcr.io/acme/webshop:v1'))
    cluster.put(STATEFUL_SETS, deployment('odd', 'not an image: ghcr.io/acme/web'))
    cluster.put(PODS, pod('alone', `${WEB}:v1.4.2`, ''))
    cluster.put(PODS, { ...pod('done', `${WEB}:v1.4.2`, ''), status: { phase: 'Succeeded' } })
    cluster.put(DEPLOYMENTS, deployment('away', `${WEB}:v1.4.1`, { namespace: 'kube-system' }))
    const rollout = {
      group: 'argoproj.io',
      version: 'v1alpha1',
      plural: 'rollouts',
      kind: 'Rollout',
      namespaced: true,
    }
    const owner = cluster.put(rollout, deployment('r', 'x'))
    cluster.put(PODS, pod('r-1', `${WEB}:v1.4.2`, '', ownedBy(rollout, owner)))
    const found = await affected(cluster, { excludedNamespaces: new Set(['kube-system']) })
    t.strictSame(
      found.images.map(({ kind, workload, level, becomes }) => [
        kind,
        workload,
        level,
        becomes?.to.split('@')[0],
      ]),
      [
        ['Pod', 'alone', undefined, `${WEB}:v1.4.2`],
        ['Pod', 'r-1', undefined, undefined],
        ['Deployment', 'web', undefined, `${WEB}:v1.4.2`],
        ['Deployment', 'bad', 'deny', undefined],
      ],
    )
    t.match(found, { total: 4, denied: 1, moved: 2, problems: [] })
    t.match(found.images[3], { reason: 'LatestTag', container: 'app', image: `${WEB}:latest` })
    t.match(await affected(cluster, { namespace: 'kube-system' }), { total: 1 }, 'of one namespace')
    t.match(await affected(cluster, { name: 'ghcr.io/acme/none' }), { total: 0, images: [] })
    t.match(await affected(cluster, { name: 'GHCR.io/acme/web' }), { total: 5 })
  },
)

t.test(
  'sidecars that are injected, and pods whose owner is not there, count as in an audit',
  async (t) => {
    const cluster = newCluster()
    const owner = cluster.put(DEPLOYMENTS, deployment('api', 'ghcr.io/acme/api:v1.0.0'))
    const made = pod('api-1', 'ghcr.io/acme/api:v1.0.0', '', ownedBy(DEPLOYMENTS, owner))
    const containers = [...made.spec.containers, { name: 'proxy', image: `${WEB}:latest` }]
    cluster.put(PODS, { ...made, spec: { containers } })
    const nobody = { ...owner, metadata: { ...owner.metadata, name: 'no', uid: 'invented' } }
    cluster.put(PODS, pod('hidden', `${WEB}:latest`, '', ownedBy(DEPLOYMENTS, nobody)))
    const { images, ...counts } = await affected(cluster)
    t.strictSame(
      images.map(({ kind, workload, container, reason }) => [kind, workload, container, reason]),
      [
        ['Deployment', 'api', 'proxy', 'LatestTag'],
        ['Pod', 'hidden', 'app', 'LatestTag'],
      ],
    )
    t.strictSame(counts, { total: 2, denied: 2, warned: 0, moved: 0, problems: [] })
    const report = await audited(cluster)
    t.equal(report.totals.denied, 2, 'the audit says the same')
  },
)

t.test('of very many a thousand are kept, and all are counted', async (t) => {
  const cluster = newCluster()
  for (let at = 0; at < 1_100; at += 1) {
    cluster.put(DEPLOYMENTS, deployment(`w-${at}`, `${WEB}:latest`))
  }
  const { total, denied, images } = await affected(cluster)
  t.strictSame([total, denied, images.length], [1_100, 1_100, 1_000])
})

t.test('what may not be listed is told, and the rest is looked at', async (t) => {
  const cluster = newCluster()
  cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:v1.4.1`))
  const refusing = (reason: string, answer: number, what = /^pods$/): Pick<Cluster, 'pages'> => ({
    pages(resource, options) {
      if (!what.test(resource.plural)) return cluster.pages(resource, options)
      throw new ClusterError('pods may not be listed', { answer, reason })
    },
  })
  for (const [reason, answer] of [['Forbidden', 403] as const, ['InternalError', 500] as const]) {
    const { total, problems } = await affected(refusing(reason, answer))
    t.equal(total, 1)
    t.match(problems, [/^pods: pods may not be listed/])
  }
  await t.rejects(affected(refusing('InternalError', 500, /./)), { code: 'ERR_CLUSTER' })
})
