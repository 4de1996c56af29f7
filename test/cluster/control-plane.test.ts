import t from 'tap'
import { openAdmin } from './admin.ts'
import { skipWithoutControlPlane } from './assets.ts'
import { type ControlPlane, startControlPlane, waitFor } from './control-plane.ts'

const skip = skipWithoutControlPlane()
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: app, image: "example.com/web:1" }] }
`
const POD = `apiVersion: v1
kind: Pod
metadata: { name: lone }
spec: { containers: [{ name: app, image: "example.com/web:1" }] }
`

/** kubectl that must succeed; gives its output. */
const kubectlOf = (cluster: ControlPlane) => async (args: string, input?: string) => {
  const more = input === undefined ? {} : { input }
  const { code, stdout, stderr } = await cluster.kubectl(args.split(' '), more)
  if (code !== 0) throw new Error(`kubectl ${args}: ${stderr}`)
  return stdout
}
const missing = (pids: readonly number[]) =>
  pids.filter((pid) => {
    try {
      return !process.kill(pid, 0)
    } catch {
      return true
    }
  })

t.test('with a node, pods run', { skip }, async (t) => {
  const cluster = await startControlPlane({ nodes: true, auditLog: true })
  t.teardown(() => cluster.stop())
  const kubectl = kubectlOf(cluster)
  const ready = '{.status.readyReplicas}/{.spec.replicas}'
  const image = '{.spec.template.spec.containers[0].image}'

  await t.test('a Deployment of three replicas becomes ready', async (t) => {
    await kubectl('create -f -', DEPLOYMENT)
    await kubectl('rollout status deployment/web --timeout=300s')
    t.equal(await kubectl(`get deployment/web -o jsonpath=${ready}`), '3/3')
    const phases = await kubectl('get pods -o jsonpath={.items[*].status.phase}')
    t.equal(phases, 'Running Running Running')
  })

  await t.test('a rollout is undone', async (t) => {
    await kubectl('set image deployment/web app=example.com/web:2')
    await kubectl('rollout status deployment/web --timeout=300s')
    t.equal(await kubectl(`get deployment/web -o jsonpath=${image}`), 'example.com/web:2')
    await kubectl('rollout undo deployment/web')
    await kubectl('rollout status deployment/web --timeout=300s')
    t.equal(
      await kubectl(`get deployment/web -o jsonpath=${image}/${ready}`),
      'example.com/web:1/3/3',
    )
  })

  await t.test('controllers act under their own accounts', async (t) => {
    const writers = (resource: string) =>
      cluster
        .auditLog()
        .filter((each) => each.verb === 'create' && each.objectRef?.resource === resource)
        .map((each) => each.user.username)
    const account = 'system:serviceaccount:kube-system'
    t.strictSame([...new Set(writers('replicasets'))], [`${account}:deployment-controller`])
    t.ok(writers('pods').includes(`${account}:replicaset-controller`))
  })

  await t.test('a running pod gets an ephemeral container', async (t) => {
    const pods = async () => (await kubectl('get pods -o name')).trim().split('\n')
    await waitFor(async () => (await pods()).length === 3, { what: 'the old pods are gone' })
    const pod = await kubectl('get pods -o jsonpath={.items[0].metadata.name}')
    await kubectl(`debug ${pod} --image=example.com/debug:1 -c probe`)
    const containers = '{.spec.ephemeralContainers[*].image}'
    t.equal(await kubectl(`get pod ${pod} -o jsonpath=${containers}`), 'example.com/debug:1')
  })

  await t.test('stop leaves no process', async (t) => {
    t.equal(cluster.pids.length, 5)
    t.strictSame(missing(cluster.pids), [])
    await cluster.stop()
    t.strictSame(missing(cluster.pids), cluster.pids)
    await cluster.stop()
  })
})

t.test('without a node, the API answers', { skip }, async (t) => {
  const cluster = await startControlPlane({ auditLog: true })
  t.teardown(() => cluster.stop())
  const kubectl = kubectlOf(cluster)

  await t.test('a pod can be made, and stays Pending', async (t) => {
    await kubectl('create -f -', POD)
    t.equal(await kubectl('get pod lone -o jsonpath={.status.phase}'), 'Pending')
  })

  await t.test('the audit log tells of writes, and of nothing else', async (t) => {
    await kubectl('get pods')
    const ofPods = () => cluster.auditLog().filter((each) => each.objectRef?.resource === 'pods')
    await waitFor(() => ofPods().length > 0, { what: 'the write is logged' })
    t.match(ofPods(), [
      { verb: 'create', user: { username: 'admin' }, objectRef: { name: 'lone' } },
    ])
    t.equal(ofPods().length, 1)
  })

  await t.test('rights are checked', async (t) => {
    const { code, stderr } = await cluster.kubectl(['get', 'pods', '--as=nobody'])
    t.equal(code, 1)
    t.match(stderr, /nobody.* cannot list resource .*pods/)
  })

  await t.test('an account has the rights that it was given, and no others', async (t) => {
    await kubectl('create serviceaccount reader')
    await kubectl('create role reader --verb=get,list --resource=configmaps')
    await kubectl('create rolebinding reader --role=reader --serviceaccount=default:reader')
    const kubeconfig = await cluster.kubeconfigFor('default', 'reader')
    const as = (args: string) => cluster.kubectl([...args.split(' '), `--kubeconfig=${kubeconfig}`])
    t.match(await as('get configmaps'), { code: 0 })
    t.match(await as('get secrets'), { code: 1, stderr: /:reader" cannot list resource/ })
    await t.rejects(cluster.kubeconfigFor('default', 'nobody'), /no token for default\/nobody: 404/)
  })

  await t.test('with a slow etcd, answers take their time', async (t) => {
    const admin = openAdmin(cluster.kubeconfig)
    t.teardown(() => admin.close())
    const took = async () => {
      const begin = performance.now()
      const { status } = await admin.call('GET', '/api/v1/namespaces/default/pods/lone')
      t.equal(status, 200)
      return performance.now() - begin
    }
    cluster.delayEtcd(400)
    t.ok((await took()) >= 799)
    cluster.delayEtcd(0)
    await waitFor(async () => (await took()) < 799, { what: 'it is as fast as before' })
  })

  await t.test('the API server comes back with all that it had', async (t) => {
    const before = cluster.pids
    await cluster.restartApiServer(async () => {
      t.equal((await cluster.kubectl(['get', 'pods'])).code, 1)
    })
    t.equal(await kubectl('get pod lone -o jsonpath={.status.phase}'), 'Pending')
    t.equal(cluster.pids.length, 2)
    t.equal(before.filter((pid) => !cluster.pids.includes(pid)).length, 1)
  })

  await t.test('only etcd and the API server run', async (t) => {
    const { pids } = cluster
    t.equal(pids.length, 2)
    await cluster.stop()
    t.strictSame(missing(pids), pids)
  })
})
