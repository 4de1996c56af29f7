import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from './cluster/control-plane.ts'
import { NAME, NAMESPACE, startInstallation } from './e2e/installation.ts'
import { deployment, IMAGE, webPolicy, ROOT } from './e2e/world.ts'

const ends: (() => unknown)[] = []
const owner = { testdir: () => mkdtempSync('/tmp/control/lab-'), teardown: (end: () => unknown) => void ends.push(end) }
const only = process.argv.slice(2)
const log = (...a: unknown[]) => console.log(new Date().toISOString().slice(11, 19), ...a)
const w = await startInstallation(owner as never, { nodes: true, auditLog: true, replicas: 2 })
log('installed')
const { kubectl, image, pinned, admin, cluster, registry } = w
const img = image('acme/web')
async function scenario(name: string, run: () => Promise<unknown>) {
  if (only.length > 0 && !only.some((o) => name.startsWith(o))) return
  const began = Date.now()
  try {
    const r = await run()
    log(`OK   ${name} (${Date.now() - began} ms)`, r ?? '')
  } catch (e) {
    log(`FAIL ${name} (${Date.now() - began} ms)`, (e as Error).message.slice(0, 1500))
  }
}
const until = (what: string, f: () => Promise<boolean> | boolean, timeout = 30_000) => waitFor(f as never, { timeout, what })
const imageOf = (what: string) => kubectl(`get ${what} -o jsonpath=${IMAGE}`)
const since = (n: number) => cluster.auditLog().slice(n)
const leaderReplica = async () => { const l = await w.leader(); return w.replicas.find((r) => r.identity === l) }
const resolves = async () => {
  const { status, body } = await admin.call('POST', '/apis/apps/v1/namespaces/default/deployments?dryRun=All', {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'probe-x' },
    spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'app', image: `${img}:v1.3.0` }] } } },
  })
  return status === 201 && JSON.stringify(body).includes(pinned('acme/web', 'v1.4.2')) 
}
try {
  await kubectl('apply -f -', webPolicy(img))
  await until('policy in force', resolves)
  log('in force')

  await scenario('01 bad selector would break', async () => {
    const out = await cluster.kubectl(['apply', '-f', '-'], { input: `apiVersion: tagwarden.io/v1alpha1
kind: ClusterImagePolicy
metadata: { name: bad }
spec:
  images: ["a.example/**"]
  order: { semver: { range: "*" } }
  onUnavailable: Deny
  namespaceSelector: { matchLabels: { team: "shop-*" } }
` })
    return `${out.code} ${out.stderr.slice(0, 300)}`
  })

  await scenario('02 CRD imagerepositories deleted and back', async () => {
    const crd = await kubectl('get crd imagerepositories.tagwarden.io -o yaml')
    await kubectl('delete crd imagerepositories.tagwarden.io')
    const r = await resolves()
    await delay(3000)
    const r2 = await resolves()
    const clean = crd.replace(/^ {2}(uid|resourceVersion|creationTimestamp|generation):.*\n/gm, '').replace(/^status:[\s\S]*/m, '')
    await kubectl('create -f -', clean)
    const t0 = Date.now()
    await until('repository object is back', async () => (await kubectl(`get imagerepositories -n ${NAMESPACE} -o name`)).includes('imagerepository'), 150_000)
    return `resolves meanwhile ${r} ${r2}; back after ${Date.now() - t0}`
  })

  await scenario('03 CRD imagepolicies deleted and back', async () => {
    const crd = await kubectl('get crd imagepolicies.tagwarden.io -o yaml')
    await kubectl('delete crd imagepolicies.tagwarden.io')
    const t0 = Date.now()
    await until('no policy in force', async () => !(await resolves()), 150_000)
    const gone = Date.now() - t0
    const clean = crd.replace(/^ {2}(uid|resourceVersion|creationTimestamp|generation):.*\n/gm, '').replace(/^status:[\s\S]*/m, '')
    await kubectl('create -f -', clean)
    await until('applies', async () => (await cluster.kubectl(['apply', '-f', '-'], { input: webPolicy(img) })).code === 0)
    const t1 = Date.now()
    await until('in force again', resolves, 150_000)
    return `gone after ${gone}, in force after ${Date.now() - t1}`
  })

  await scenario('04 ClusterRole replaced', async () => {
    const n = cluster.auditLog().length
    const role = (await kubectl(`get clusterrole ${NAME} -o yaml`)).replace(/^ {2}(uid|resourceVersion|creationTimestamp):.*\n/gm, '')
    await kubectl(`delete clusterrole ${NAME}`)
    await delay(500)
    await kubectl('create -f -', role)
    await delay(15000)
    await until('webhooks', resolves, 60_000)
    const uid = await kubectl(`get clusterrole ${NAME} -o jsonpath={.metadata.uid}`)
    const owners = await kubectl(`get validatingwebhookconfiguration ${NAME} -o jsonpath={.metadata.ownerReferences[*].uid}`)
    const secret = await kubectl(`get secret -n ${NAMESPACE} ${NAME}-certificates -o jsonpath={.metadata.ownerReferences[*].uid}`)
    const lease = await kubectl(`get lease -n ${NAMESPACE} ${NAME} -o jsonpath={.metadata.ownerReferences[*].uid}`)
    return `role ${uid} webhooks ${owners} secret ${secret} lease ${lease}; writes ${since(n).length}`
  })

  await scenario('05 scale to 0 and back', async () => {
    const ids = w.replicas.map((r) => r.identity)
    await Promise.all([...w.replicas].map((r) => r.stop()))
    await kubectl('apply -f -', deployment('while-away', `${img}:v1.3.0`, { replicas: 1 }))
    const away = await imageOf('deployment/while-away')
    await Promise.all(ids.map((id) => w.start(`${id}-b`)))
    await until('resolves', resolves, 60_000)
    return `while away: ${away}`
  })

  await scenario('06 policy flapping 5/s for 20 s: status writes', async () => {
    const n = cluster.auditLog().length
    const end = Date.now() + 20_000
    let k = 0
    while (Date.now() < end) {
      k += 1
      await admin.call('PATCH', '/apis/tagwarden.io/v1alpha1/namespaces/default/imagepolicies/web', { spec: { order: { semver: { range: k % 2 ? '>=1.2.3 <2.0.0' : '>=1.2.3 <1.4.0' } } } })
      await delay(200)
    }
    await delay(3000)
    const writes = since(n).filter((e: any) => JSON.stringify(e).includes('serviceaccount:tagwarden-system'))
    const by: Record<string, number> = {}
    for (const e of writes as any[]) { const key = `${e.verb} ${e.objectRef?.resource ?? e.resource}/${e.objectRef?.subresource ?? ''}`; by[key] = (by[key] ?? 0) + 1 }
    await kubectl('apply -f -', webPolicy(img))
    await until('resolves', resolves)
    return `${k} edits: ${JSON.stringify(by)}`
  })

  await scenario('07 1000 policies at once', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => webPolicy(`${image('acme/web')}`, 'action: Track').replace('name: web', `name: many-${i}`).replace(/images: .*/, `images: ["other.example/x${i}"]`)).join('---\n')
    const t0 = Date.now()
    const n = cluster.auditLog().length
    await kubectl('apply --server-side -f -', many)
    const applied = Date.now() - t0
    await until('all have status', async () => (await kubectl('get imagepolicies -o jsonpath={.items[*].status.observedGeneration}')).trim().split(/\s+/).length >= 1001, 240_000)
    const writes = since(n).filter((e: any) => JSON.stringify(e).includes('serviceaccount:tagwarden-system')).length
    const t1 = Date.now() - t0
    const alive = await resolves()
    await kubectl('delete imagepolicies -l x!=y --field-selector metadata.name!=web --wait=false')
    await until('resolves', resolves, 60_000)
    return `applied in ${applied}, statuses after ${t1}, own writes ${writes}, alive ${alive}`
  })

  await scenario('08 leader SIGSTOP 12 s, cont', async () => {
    const first = await leaderReplica()
    if (!first) throw new Error('no leader')
    first.child.kill('SIGSTOP')
    await until('another leads', async () => { const l = await w.leader(); return l !== undefined && l !== first.identity }, 40_000)
    first.child.kill('SIGCONT')
    await delay(3000)
    return `from ${first.identity} to ${await w.leader()}`
  })

  await scenario('09 promotion: canary deleted, paused, partition, OnDelete, HPA', async () => {
    const ns = 'promo'
    await kubectl(`create namespace ${ns}`)
    await kubectl('apply -f -', webPolicy(img, 'action: Track\n  promote: Continuously\n  promotion: { canary: 1 }', ns))
    await delay(2000)
    const dep = (name: string) => deployment(name, `${img}:v1.3.0`, { replicas: 1 }).replace('metadata: { name', `metadata: { namespace: ${ns}, name`)
    for (const d of ['a', 'b', 'c']) await kubectl('apply -f -', dep(d))
    const sts = (name: string, strategy: string) => dep(name).replace('kind: Deployment', 'kind: StatefulSet').replace('spec:\n  replicas: 1', `spec:\n  replicas: 2\n  serviceName: x\n  updateStrategy: ${strategy}`)
    await kubectl('apply -f -', sts('part', '{type: RollingUpdate, rollingUpdate: {partition: 1}}'))
    await kubectl('apply -f -', sts('ondel', '{type: OnDelete}'))
    await kubectl('apply -f -', dep('paused').replace('spec:\n  replicas', 'spec:\n  paused: true\n  replicas'))
    await until('rolled out', async () => (await kubectl(`get deploy -n ${ns} -o jsonpath={.items[*].status.availableReplicas}`)).trim().split(/\s+/).length >= 3, 60_000)
    registry.push('acme/web', 'v1.4.3')
    await kubectl(`annotate imagerepositories -n ${NAMESPACE} --all --overwrite tagwarden.io/scan=${Date.now()}`)
    await until('a moved', async () => (await imageOf(`deploy/a -n ${ns}`)).includes('v1.4.3'), 60_000)
    await kubectl(`delete deploy a -n ${ns} --wait=false`)
    await until('all moved', async () => {
      const all = await Promise.all(['deploy/b', 'deploy/c', 'sts/part', 'sts/ondel'].map((x) => imageOf(`${x} -n ${ns}`)))
      return all.every((x) => x.includes('v1.4.3'))
    }, 90_000)
    return `paused: ${await imageOf(`deploy/paused -n ${ns}`)}; ${await kubectl(`get imagepolicy web -n ${ns} -o jsonpath={.status.lastPromotion}`)}`
  })

  await scenario('10 uninstall, reinstall under the same name', async () => {
    await w.helm('uninstall', NAME)
    await until('webhooks gone', async () => (await cluster.kubectl(['get', 'validatingwebhookconfiguration', NAME])).code !== 0, 60_000)
    await w.helm('install', NAME, `${ROOT}/charts/tagwarden`)
    await until('webhooks', resolves, 90_000)
  })

  await scenario('11 upgrade, rollback', async () => {
    await w.helm('upgrade', NAME, `${ROOT}/charts/tagwarden`, '--reset-then-reuse-values', '--set', 'promotion.enabled=false')
    await w.helm('rollback', NAME)
    await until('webhooks', resolves, 30_000)
    return (await kubectl(`get clusterrole ${NAME}-promoter -o name`)).trim()
  })

  await scenario('12 etcd restored from a backup', async () => {
    const pid = cluster.pids.find((p) => readFileSync(`/proc/${p}/cmdline`, 'utf8').split('\0')[0]!.endsWith('/etcd'))!
    const cmd = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
    const dir = cmd.map((a) => /^--data-dir=(.*)/.exec(a)?.[1]).find(Boolean) ?? cmd[cmd.indexOf('--data-dir') + 1]!
    await cluster.restartApiServer(async () => { await delay(1500); cpSync(dir, '/tmp/control/etcd-backup', { recursive: true }) })
    await until('resolves', resolves, 60_000)
    await kubectl('apply -f -', webPolicy(img).replace('<2.0.0', '<1.4.0'))
    for (let i = 0; i < 40; i += 1) await kubectl(`annotate namespace default n=${i} --overwrite`)
    await until('changed', async () => !(await resolves()))
    let etcd: ReturnType<typeof spawn> | undefined
    await cluster.restartApiServer(async () => {
      process.kill(pid, 'SIGKILL')
      await delay(1000)
      rmSync(dir, { recursive: true, force: true })
      cpSync('/tmp/control/etcd-backup', dir, { recursive: true })
      etcd = spawn(cmd[0]!, cmd.slice(1), { stdio: 'ignore' })
      await delay(3000)
    })
    ends.push(() => etcd?.kill('SIGKILL'))
    const t0 = Date.now()
    await until('the restored policy is in force on all', async () => {
      for (let i = 0; i < 6; i += 1) if (!(await resolves())) return false
      return true
    }, 150_000)
    return `after ${Date.now() - t0}`
  })
  for (const r of w.replicas) {
    const bad = r.output().split('\n').filter((l) => /"level":(40|50)/.test(l)).map((l) => { try { return JSON.parse(l).msg } catch { return l } })
    log(r.identity, [...new Map(bad.map((b) => [b.slice(0, 90), b.slice(0, 220)])).values()].join('\n    '))
  }
} finally {
  for (const end of ends.reverse()) await Promise.resolve(end()).catch?.(() => {})
  rmSync('/tmp/control/etcd-backup', { recursive: true, force: true })
}
process.exit(0)
