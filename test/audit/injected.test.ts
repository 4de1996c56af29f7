import t from 'tap'
import { DAEMON_SETS, DEPLOYMENTS, PODS } from '../../src/cluster/index.ts'
import { compilePolicies, parsePolicies } from '../../src/policies/index.ts'
import { digest, policy } from '../fakes/facts.ts'
import { audited, deployment, lines, newCluster, ownedBy, pod, reviewBy, WEB } from './stage.ts'

const GOOD = `${WEB}:v1.3.0`
const RUNS = `${WEB}@${digest('3')}`

/** A DaemonSet with a pod that has more containers than it says. */
function injected(spec: object, status: object = {}, image = GOOD) {
  const cluster = newCluster()
  const owner = cluster.put(DAEMON_SETS, deployment('agent', image))
  const made = pod('agent-1', image, RUNS, ownedBy(DAEMON_SETS, owner))
  const containers = [...made.spec.containers, ...('containers' in spec ? [spec.containers] : [])]
  cluster.put(PODS, {
    ...made,
    spec: { ...made.spec, ...spec, containers: containers.flat() },
    status: { ...made.status, ...status },
  } as never)
  return { cluster, owner }
}

t.test('what is injected into pods is found at their owner', async (t) => {
  const proxy = { name: 'proxy', image: `${WEB}:v9.0.0` }
  const rows: [spec: object, container: string, reason: string][] = [
    [{ containers: [proxy] }, 'proxy', 'OutOfRange'],
    [{ initContainers: [{ name: 'init', image: WEB }] }, 'init', 'LatestTag'],
    [{ ephemeralContainers: [{ name: 'debug', image: `${WEB}:latest` }] }, 'debug', 'LatestTag'],
  ]
  for (const [spec, container, reason] of rows) {
    const report = await audited(injected(spec).cluster)
    t.strictSame(lines(report), [`deny ${reason} DaemonSet shop/agent`])
    t.match(report.findings, [
      {
        ...{ container, pointer: '/injected/0', use: `${WEB}:v1.4.2`, funnel: /./ },
        message: /Its pods have this container and the workload does not: it was injected\.$/,
      },
    ])
    t.match(report.totals, { objects: 1, images: 2, denied: 1 })
  }
})

t.test(
  'each once, whether it has started or not, and what is permitted is only counted',
  async (t) => {
    const two = [
      { name: 'proxy', image: `${WEB}:v1.3.0` },
      { name: 'proxy2', image: `${WEB}:latest` },
    ]
    const statuses = [
      { name: 'app', imageID: RUNS },
      { name: 'proxy', imageID: `${WEB}@${digest('3')}` },
    ]
    const { cluster, owner } = injected({ containers: two }, { containerStatuses: statuses })
    const again = pod('agent-2', GOOD, RUNS, ownedBy(DAEMON_SETS, owner))
    cluster.put(PODS, {
      ...again,
      spec: { containers: [...again.spec.containers, ...two] },
    } as never)
    const report = await audited(cluster)
    t.strictSame(lines(report), ['deny LatestTag DaemonSet shop/agent'])
    t.match(report.totals, { images: 3, denied: 1, changed: 0 })
  },
)

t.test('pods of a rollout may have containers that the workload has no more', async (t) => {
  const { cluster, owner } = injected({ containers: [{ name: 'old', image: `${WEB}:latest` }] })
  cluster.put(DAEMON_SETS, { ...owner, status: {} } as never)
  const { findings } = await audited(cluster)
  t.match(findings, [{ message: /the workload does not \(any more\)\.$/ }])
})

t.test('it is judged as a pod of its owner: kinds, exceptions, labels', async (t) => {
  const { cluster } = injected({ containers: [{ name: 'proxy', image: `${WEB}:v9.0.0` }] })
  const kinds = (...wanted: string[]) => {
    const text = `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: web, namespace: shop }
spec:
  images: ["${WEB}"]
  order: { semver: { range: ">=1.2.3 <2.0.0" } }
  movedTags: Allow
  match: { kinds: [${wanted}] }
---
apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicyException
metadata: { name: x, namespace: shop }
spec:
  images: ["${WEB}:v9.*"]
  match: { kinds: [DaemonSet], names: [agent], containers: [proxy] }
  reason: OPS-1
  expires: "2099-01-01T00:00:00Z"
`
    const { set } = compilePolicies(parsePolicies(text, 'x.yaml').resources)
    return { ...reviewBy(), policies: () => set }
  }
  t.strictSame(lines(await audited(cluster, { review: kinds('DaemonSet') })), [])
  const excepted = await audited(cluster, { review: kinds('Pod') })
  t.match(excepted.totals, { denied: 0 })
})

t.test('what policies would do to it is told by --what-if', async (t) => {
  const { cluster } = injected(
    { containers: [{ name: 'proxy', image: `${WEB}:v1.3.0` }] },
    {},
    `${WEB}:v1.4.1`,
  )
  const stricter = policy({ rule: { order: { semver: { range: '>=1.4.0 <2.0.0' } } } })
  const whatIf = reviewBy([stricter]).policies()
  const report = await audited(cluster, { whatIf })
  t.match(report.difference, { newlyDenied: 1 })
  t.match(report.findings, [{ container: 'proxy', reason: 'OutOfRange' }])
})

t.test('hostile containers are judged like any others', async (t) => {
  const hostile = [null, 'x', { name: 7, image: 7 }, { name: '__proto__', image: '\u001b[2J' }]
  const { cluster } = injected({
    containers: hostile,
    initContainers: {},
    ephemeralContainers: null,
  })
  t.strictSame(lines(await audited(cluster)), ['deny InvalidReference DaemonSet shop/agent'])
  cluster.put(DEPLOYMENTS, { metadata: { name: 'bare', namespace: 'shop' } })
  t.match((await audited(cluster)).totals, { objects: 2 })
})
