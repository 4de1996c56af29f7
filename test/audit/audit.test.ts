import t from 'tap'
import {
  type Cluster,
  ClusterError,
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  JOBS,
  PODS,
  REPLICA_SETS,
  STATEFUL_SETS,
} from '../../src/cluster/index.ts'
import { digest, policy } from '../fakes/facts.ts'
import {
  audited,
  deployment,
  lines,
  newCluster,
  ownedBy,
  pod,
  reviewBy,
  rollOut,
  WEB,
} from './stage.ts'

t.test('what a controller owns counts to its owner, and orphans for themselves', async (t) => {
  const cluster = newCluster()
  rollOut(cluster, 'web', `${WEB}:latest`, [
    [`${WEB}:latest`, ''],
    [`${WEB}:latest`, ''],
  ])
  cluster.put(PODS, pod('alone', `${WEB}:latest`, ''))
  cluster.put(REPLICA_SETS, deployment('old', `${WEB}:v2.0.0`))
  cluster.put(STATEFUL_SETS, deployment('data', `${WEB}:v1.4.1`))
  cluster.put(DAEMON_SETS, deployment('agent', `${WEB}:v0.1.0`))
  const cron = cluster.put(CRON_JOBS, {
    metadata: { name: 'nightly', namespace: 'shop' },
    spec: {
      jobTemplate: {
        spec: { template: { spec: { containers: [{ name: 'app', image: `${WEB}:latest` }] } } },
      },
    },
  })
  const job = cluster.put(JOBS, deployment('nightly-1', `${WEB}:latest`, ownedBy(CRON_JOBS, cron)))
  cluster.put(PODS, pod('nightly-1-x', `${WEB}:latest`, '', ownedBy(JOBS, job)))
  const report = await audited(cluster)
  t.strictSame(lines(report), [
    'deny LatestTag CronJob shop/nightly',
    'deny OutOfRange DaemonSet shop/agent',
    'deny LatestTag Deployment shop/web',
    'deny LatestTag Pod shop/alone',
    'deny OutOfRange ReplicaSet shop/old',
  ])
  t.match(report.totals, { objects: 6, images: 6, denied: 5, warned: 0 })
  t.match(report.findings[2], {
    policy: 'ImagePolicy shop/web',
    container: 'app',
    pointer: '/spec/template/spec/containers/0/image',
    image: `${WEB}:latest`,
    use: `${WEB}:v1.4.2`,
    message: /^ImagePolicy shop\/web permits semver >=1\.2\.3 <2\.0\.0; newest is v1\.4\.2/,
    funnel: `ImagePolicy shop/web ${WEB}`,
    fingerprint: /^[0-9a-f]{16}$/,
  })
  t.match(report.funnels[`ImagePolicy shop/web ${WEB}`], { chosen: { tag: 'v1.4.2' } })
  t.same(await audited(cluster), report, 'the same again')
})

t.test('an owner that is not there hides nothing', async (t) => {
  const cluster = newCluster()
  const gone = { metadata: { name: 'x', namespace: 'shop', uid: 'no-such-uid' } }
  cluster.put(PODS, pod('forged', `${WEB}:latest`, '', ownedBy(REPLICA_SETS, gone)))
  cluster.put(
    PODS,
    pod('operator', `${WEB}:latest`, '', {
      ownerReferences: [
        { apiVersion: 'acme.io/v1', kind: 'Web', name: 'x', uid: '1', controller: true },
      ],
    }),
  )
  cluster.put(
    PODS,
    pod('strange', `${WEB}:latest`, '', {
      ownerReferences: [null, 'x', { controller: true }] as never,
    }),
  )
  cluster.put(PODS, { ...pod('done', `${WEB}:latest`, ''), status: { phase: 'Succeeded' } })
  t.strictSame(lines(await audited(cluster)), [
    'deny LatestTag Pod shop/forged',
    'deny LatestTag Pod shop/operator',
    'deny LatestTag Pod shop/strange',
  ])
})

t.test('what really runs is compared with what is written and with the registry', async (t) => {
  const cluster = newCluster()
  const [tag, b] = [`${WEB}:v1.4.2`, `${WEB}@${digest('b')}`]
  rollOut(cluster, 'fine', tag, [[tag, b]])
  rollOut(cluster, 'moved', tag, [[tag, `docker-pullable://${WEB}@${digest('a')}`]])
  rollOut(cluster, 'mixed', tag, [
    [tag, b],
    [tag, `${WEB}@${digest('a')}`],
  ])
  rollOut(cluster, 'edited', tag, [
    [tag, b],
    [`${WEB}:v1.4.1`, `${WEB}@${digest('c')}`],
  ])
  rollOut(cluster, 'strange', tag, [
    [tag, '\u001b[2J'],
    [tag, '__proto__'],
  ])
  cluster.put(PODS, pod('alone', tag, `${WEB}@${digest('a')}`))
  const report = await audited(cluster, { review: reviewBy([policy({ movedTags: 'Allow' })]) })
  t.strictSame(lines(report), [
    'warn NotAsWritten Deployment shop/edited',
    'warn MixedDigests Deployment shop/mixed',
    'warn TagElsewhere Deployment shop/moved',
    'warn TagElsewhere Pod shop/alone',
  ])
  t.match(report.totals, { denied: 0, warned: 4 })
})

t.test('what the policies would move is told, by what was asked for', async (t) => {
  const cluster = newCluster()
  const resolved = `${WEB}:v1.3.0@${digest('3')}`
  const record = {
    container: 'app',
    requested: `${WEB}:v1.3.0`,
    resolved,
    policy: 'ImagePolicy shop/web',
  }
  const annotations = { 'tagwarden.io/images': JSON.stringify([record]) }
  cluster.put(DEPLOYMENTS, deployment('known', resolved, { annotations }))
  cluster.put(
    DEPLOYMENTS,
    deployment('held', resolved, { annotations: { ...annotations, 'tagwarden.io/hold': 'true' } }),
  )
  cluster.put(DEPLOYMENTS, deployment('new', `${WEB}:v1.3.0`))
  cluster.put(DEPLOYMENTS, deployment('by-hand', resolved))
  const report = await audited(cluster, { review: reviewBy([policy({ action: 'Track' })]) })
  t.strictSame(
    report.changes.map(({ subject: { name }, from, to }) => [name, from, to]),
    [
      ['known', resolved, `${WEB}:v1.4.2@${digest('b')}`],
      ['new', `${WEB}:v1.3.0`, `${WEB}:v1.4.2@${digest('b')}`],
    ],
  )
  t.equal(report.totals.changed, 2)
})

t.test('a namespace, a selector and a policy narrow it down', async (t) => {
  const cluster = newCluster()
  rollOut(cluster, 'web', `${WEB}:latest`, [[`${WEB}:latest`, '']], { labels: { tier: 'front' } })
  rollOut(cluster, 'api', `${WEB}:latest`, [[`${WEB}:latest`, '']])
  rollOut(cluster, 'far', `${WEB}:latest`, [[`${WEB}:latest`, '']], { namespace: 'far' })
  rollOut(cluster, 'dns', `${WEB}:latest`, [], { namespace: 'kube-system' })
  const policies = [
    policy(),
    policy({ kind: 'ClusterImagePolicy', name: 'guard', rule: { ignore: [] } }),
  ]
  const review = reviewBy(policies)
  const excludedNamespaces = new Set(['kube-system'])
  const names = async (more: object) =>
    lines(await audited(cluster, { review, excludedNamespaces, ...more })).map((line) =>
      line.split(' ').at(-1),
    )
  t.strictSame(await names({}), ['far/far', 'shop/api', 'shop/web'])
  t.strictSame(await names({ namespace: 'far' }), ['far/far'])
  t.strictSame(await names({ namespace: 'kube-system' }), ['kube-system/dns'], 'if it is named')
  t.strictSame(await names({ selector: 'tier=front' }), ['shop/web'])
  t.strictSame(await names({ policy: 'web' }), ['shop/api', 'shop/web'])
  t.strictSame(await names({ policy: 'ImagePolicy shop/web' }), ['shop/api', 'shop/web'])
  t.strictSame(await names({ policy: 'other' }), [])
})

t.test('a kind that may not be read is a problem, and the others are looked at', async (t) => {
  const cluster = newCluster()
  rollOut(cluster, 'web', `${WEB}:latest`, [[`${WEB}:latest`, '']])
  const allow = cluster.refuse('list', DEPLOYMENTS, 'Forbidden')
  cluster.serve(JOBS, false)
  const report = await audited(cluster)
  t.strictSame(lines(report), ['deny LatestTag ReplicaSet shop/web-5d4f'])
  t.match(report.problems, [{ code: 'ERR_CLUSTER', place: 'deployments.apps' }])
  t.equal(report.problems.length, 1)
  allow()
  cluster.available = false
  await t.rejects(audited(cluster), { code: 'ERR_CLUSTER' }, 'nothing can be asked')
})

t.test('a list that fails keeps no other kind from being read', async (t) => {
  const cluster = newCluster()
  rollOut(cluster, 'web', `${WEB}:latest`, [[`${WEB}:latest`, '']])
  cluster.put(STATEFUL_SETS, deployment('data', `${WEB}:latest`))
  cluster.put(PODS, pod('alone', `${WEB}:latest`, ''))
  cluster.refuse('list', DEPLOYMENTS, 'InternalError')
  const report = await audited(cluster)
  t.strictSame(lines(report), [
    'deny LatestTag Pod shop/alone',
    'deny LatestTag ReplicaSet shop/web-5d4f',
    'deny LatestTag StatefulSet shop/data',
  ])
  t.match(report.problems, [{ place: 'deployments.apps' }])
  t.equal(report.problems.length, 1)
})

t.test('a selector that is none is said once', async (t) => {
  const cluster = newCluster()
  cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:latest`))
  const strict: Pick<Cluster, 'pages'> = {
    pages(resource, options) {
      if (options?.labelSelector === undefined) return cluster.pages(resource, options)
      throw new ClusterError("found ','", { answer: 400, reason: 'BadRequest' })
    },
  }
  const selector = 'a==b,,'
  await t.rejects(audited(cluster, { cluster: strict, selector }), { message: "found ','" })
})

t.test('kinds that come after the API server has gone are named, each once', async (t) => {
  const cluster = newCluster()
  cluster.put(DEPLOYMENTS, deployment('web', `${WEB}:latest`))
  const dying: Pick<Cluster, 'pages'> = {
    pages(resource, options) {
      if (resource === STATEFUL_SETS) cluster.available = false
      return cluster.pages(resource, options)
    },
  }
  for (const selector of [undefined, 'tier!=none']) {
    cluster.available = true
    const report = await audited(cluster, { cluster: dying, selector })
    t.strictSame(lines(report), ['deny LatestTag Deployment shop/web'])
    t.match(report.problems, [
      { place: 'statefulsets.apps', message: /does not answer/ },
      ...['daemonsets.apps', 'cronjobs.batch', 'podtemplates'].map((place) => ({
        place,
        message: /did not answer any more/,
      })),
    ])
    t.equal(report.problems.length, 4)
  }
})

t.test('Ctrl-C ends it at once, with what was found so far', async (t) => {
  const cluster = newCluster()
  for (let index = 0; index < 30; index += 1) {
    cluster.put(DEPLOYMENTS, deployment(`web-${index}`, `${WEB}:latest`))
  }
  const end = new AbortController()
  const onProgress = ({ objects }: { objects: number }) => {
    if (objects >= 10) end.abort()
  }
  const report = await audited(cluster, { signal: end.signal, batch: 5, onProgress })
  t.equal(report.interrupted, true)
  t.equal(report.totals.objects, 10)
  t.equal(report.findings.length, 10)
})

t.test('whoever watches is told how much there is to read', async (t) => {
  const cluster = newCluster()
  for (let index = 0; index < 5; index += 1) rollOut(cluster, `web-${index}`, `${WEB}:v1.4.2`, [])
  cluster.refuse('list', CRON_JOBS, 'Forbidden', { times: 9 })
  const told: { read: number; all: number | undefined }[] = []
  await audited(cluster, { onProgress: ({ read, all }) => void told.push({ read, all }) })
  t.strictSame(told.at(-1), { read: 10, all: 10 })
  await audited(cluster, {
    selector: 'a=b',
    onProgress: ({ all }) => t.equal(all, undefined, 'nobody can say'),
  })
})

t.test('hostile objects are judged like any others', async (t) => {
  const cluster = newCluster()
  const images = ['', null, 42, {}, [], '__proto__', '\u001b[2J', `${WEB}:${'a'.repeat(300)}`]
  for (const [index, image] of images.entries()) {
    cluster.put(DEPLOYMENTS, deployment(`web-${index}`, image))
  }
  cluster.put(DEPLOYMENTS, { metadata: { name: 'bare', namespace: 'shop' } })
  cluster.put(PODS, {
    metadata: { name: 'bare', namespace: 'shop' },
    spec: null,
    status: null,
  } as never)
  const report = await audited(cluster)
  t.equal(report.totals.objects, images.length + 2)
  t.ok(
    report.findings.every(
      ({ reason, image }) =>
        (reason === 'InvalidReference' && typeof image === 'string') || reason === 'LatestTag',
    ),
  )
})
