import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { issueAuthority, issueServing } from '../../src/certificates/index.ts'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { waitFor } from '../cluster/control-plane.ts'
import { DEPLOYMENTS, imageOf, listAll, object, patchOf, startLoad } from './dry_runs.ts'
import { NAME, NAMESPACE, startInstallation } from './installation.ts'
import { deployment, webPolicy } from './world.ts'

const skip = skipWithoutControlPlane()
t.setTimeout(1_800_000)
const DAY = 86_400_000

const closed = 'action: Track\n  onUnavailable: Deny'

t.test('three replicas', { skip }, async (t) => {
  const world = await startInstallation(t, { nodes: true })
  const { admin, kubectl, image, pinned, registry, cluster } = world
  const web = image('acme/web')

  const resolved = async (): Promise<boolean> => {
    const body = object('probe', `${web}:v1.3.0`)
    const answer = await admin.call('POST', `${DEPLOYMENTS}?dryRun=All`, body)
    return imageOf(answer.body) === pinned('acme/web', 'v1.4.2')
  }
  const eventually = (what: string, check: () => Promise<boolean> | boolean, timeout?: number) =>
    waitFor(check, timeout === undefined ? { what } : { what, timeout })
  /** Applies what changes a policy; gives the ms until it counts on every replica. */
  const inForce = async (policy: string): Promise<number> => {
    const before = world.replicas.map(({ output }) => output().length)
    await kubectl('apply -f -', policy)
    const applied = performance.now()
    await eventually('all say so', () =>
      world.replicas.every(({ output }, index) =>
        /"policies":1,.*policies in force/.test(output().slice(before[index])),
      ),
    )
    return Math.round(performance.now() - applied)
  }
  const everyReplicaKnows = (tag: string) =>
    eventually(`every replica knows ${tag}`, async () => {
      const body = object('other', `${web}:v1.3.0`)
      const patches = await Promise.all(world.replicas.map(({ url }) => patchOf(url, body)))
      return patches.every((patch) => patch.includes(pinned('acme/web', tag)))
    })

  await t.test('a policy is in force on every replica within a second', async (t) => {
    const policy = webPolicy(web, closed)
    // A busy machine may hold up one change, not each of them.
    const took: number[] = []
    for (const each of [policy, policy.replace('<2', '<3'), policy, policy.replace('<2', '<4')]) {
      took.push(await inForce(each))
    }
    await inForce(policy)
    t.ok(Math.min(...took) < 1_000, `in force after ${took} ms`)
    await eventually('it is resolved', resolved)
    await eventually('kubectl shows the newest', async () =>
      /v1\.4\.2/.test(await kubectl('get imagepolicies')),
    )
    t.comment(await kubectl('get imagepolicies,imagerepositories -A'))
  })

  await t.test('each line that a replica writes is JSON', async (t) => {
    for (const { identity, output } of world.replicas) {
      const lines = output().split('\n').slice(0, -1)
      t.match(lines.join('\n'), /"msg":"tagwarden listens on https:/, identity)
      for (const line of lines) t.doesNotThrow(() => JSON.parse(line), line)
    }
  })

  await t.test('a rolling restart: no review is lost or wrongly decided', async (t) => {
    const load = startLoad(world)
    for (const old of [...world.replicas]) {
      await world.start(`${old.identity}-new`)
      t.equal(await old.stop(), 0, `${old.identity} ends in good order`)
    }
    await eventually('there were reviews', () => load.done() > 20)
    const { wrong } = await load.stop()
    t.strictSame(wrong, [])
  })

  await t.test('the leader is killed: another one leads, scans and promotes', async (t) => {
    const before = await world.leader()
    const leader = world.replicas.find(({ identity }) => identity === before)
    t.ok(leader, `${before} leads`)
    await leader?.kill()
    await world.start('replica-4')
    await eventually('another one leads', async () => {
      const now = await world.leader()
      return now !== undefined && now !== '' && now !== before
    })
    await eventually('reviews are answered', resolved)
  })

  await t.test('the API server is restarted: all go on', async () => {
    await cluster.restartApiServer()
    await eventually('reviews are answered', resolved)
    await kubectl('apply -f -', webPolicy(web, closed).replace('<2.0.0', '<1.4.2'))
    await eventually('a change made afterwards is seen', async () => {
      const answer = await admin.call(
        'POST',
        `${DEPLOYMENTS}?dryRun=All`,
        object('probe', `${web}:v1.3.0`),
      )
      return imageOf(answer.body) === pinned('acme/web', 'v1.4.1')
    })
    await kubectl('apply -f -', webPolicy(web, closed))
    await eventually('and taken back', resolved)
    await eventually(
      'every replica is ready',
      () => world.balancer.ready().length === world.replicas.length,
    )
  })

  await t.test('etcd is slow: reviews are decided as always, and one leads', async (t) => {
    cluster.delayEtcd(150)
    const load = startLoad(world, 2)
    await delay(6_000)
    await eventually('there were reviews', () => load.done() > 2)
    const { wrong } = await load.stop()
    cluster.delayEtcd(0)
    t.strictSame(wrong, [])
    await eventually('one leads', async () => ((await world.leader()) ?? '') !== '')
  })

  await t.test('the Secret is deleted: it comes again, and nothing is refused', async (t) => {
    const load = startLoad(world, 2)
    await kubectl(`delete secret ${NAME}-certificates -n ${NAMESPACE}`)
    await eventually('it is there again', async () => {
      const path = `/api/v1/namespaces/${NAMESPACE}/secrets/${NAME}-certificates`
      return (await admin.call('GET', path)).status === 200
    })
    await delay(500)
    const { wrong } = await load.stop()
    t.strictSame(wrong, [])
  })

  await t.test('the CA is rotated: both are trusted, and nothing is refused', async (t) => {
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets/${NAME}-certificates`
    const bundle = async () => {
      const { body } = await admin.call('GET', path)
      const text = (body['data'] as Record<string, string>)['ca.crt'] ?? ''
      return Buffer.from(text, 'base64').toString().split('BEGIN CERTIFICATE').length - 1
    }
    // One that ends in half a year is due: it was made nine and a half years ago.
    const old = Date.now() - (3650 - 180) * DAY
    const authority = await issueAuthority(old)
    const names = ['127.0.0.1', 'localhost', `${NAME}.${NAMESPACE}.svc`]
    const leaf = await issueServing(authority, { names, now: Date.now() })
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    const data = {
      'ca.crt': base64(authority.cert),
      'ca.key': base64(authority.key),
      'tls.crt': base64(leaf.cert),
      'tls.key': base64(leaf.key),
    }
    const load = startLoad(world, 2)
    await admin.call('PATCH', path, { data }, 'application/merge-patch+json')
    await eventually('two CAs are published', async () => (await bundle()) >= 2)
    await delay(2_000)
    const { wrong } = await load.stop()
    t.strictSame(wrong, [])
  })

  await t.test('a namespace being deleted: what lives there ends in peace', async (t) => {
    await kubectl('create namespace leaving')
    await kubectl('apply -f -', webPolicy(web, closed, 'leaving'))
    await kubectl('apply -n leaving -f -', deployment('web', `${web}:v1.3.0`, { replicas: 1 }))
    await kubectl('delete namespace leaving --timeout=300s')
    t.equal((await admin.call('GET', '/api/v1/namespaces/leaving')).status, 404)
  })

  await t.test('a new version moves each workload once, also when the leader dies', async (t) => {
    const policy = webPolicy(
      web,
      `${closed}\n  promote: Continuously\n  promotion: { maxPerMinute: 600, canary: 1 }`,
    )
    await kubectl('apply -f -', policy)
    const names = Array.from({ length: 20 }, (_, n) => `moved-${n}`)
    for (const name of names) {
      await admin.call('POST', DEPLOYMENTS, object(name, `${web}:v1.3.0`, 1))
    }
    await eventually('all are available', async () => {
      const { body } = await admin.call('GET', DEPLOYMENTS)
      type Item = { metadata: { name: string }; status?: { availableReplicas?: number } }
      const items = body['items'] as Item[]
      const moved = items.filter(({ metadata }) => metadata.name.startsWith('moved-'))
      const available = moved.filter(({ status }) => status?.availableReplicas === 1)
      return available.length === names.length
    })
    registry.push('acme/web', 'v1.4.9')
    await kubectl(`annotate imagerepositories -A --all tagwarden.io/scan=now --overwrite`)
    const moved = async () => {
      const items = await listAll(admin, DEPLOYMENTS)
      const wanted = pinned('acme/web', 'v1.4.9')
      return items.filter((item) => imageOf(item) === wanted).length
    }
    await eventually('the first ones are moved', async () => (await moved()) >= 3)
    const holder = await world.leader()
    const leader = world.replicas.find(({ identity }) => identity === holder)
    await (leader ?? world.replicas[0])?.kill()
    await eventually('all are moved', async () => (await moved()) === names.length)
    await world.start('replica-5')
    await eventually('the Deployment controller has seen all of it', async () => {
      type Seen = { metadata: { generation: number }; status?: { observedGeneration?: number } }
      const items = (await listAll(admin, DEPLOYMENTS)) as unknown as Seen[]
      return items.every((item) => item.status?.observedGeneration === item.metadata.generation)
    })
    const sets = await listAll(admin, '/apis/apps/v1/namespaces/default/replicasets')
    type Set = { metadata: { name: string } }
    for (const name of names) {
      const own = sets.filter((set) => (set as unknown as Set).metadata.name.startsWith(`${name}-`))
      t.equal(own.length, 2, `${name} has the old ReplicaSet and one new one`)
    }
    type Built = { metadata: { annotations?: Record<string, string> } }
    const builds = (await listAll(admin, DEPLOYMENTS)).map(
      (item) => (item as unknown as Built).metadata.annotations?.['fluxcd.io/build.number'],
    )
    t.strictSame([...new Set(builds)], ['2'], 'one promotion each')
    await kubectl('delete deployments --all')
  })

  await t.test('a tool that applies all the time does not get ahead of a window', async (t) => {
    const manifest = deployment('web', `${web}:v1.3.0`, { replicas: 1 })
    const windows = 'windows: [{ schedule: "0 0 1 1 *", duration: 1m }]'
    const policy = (promotion: string) =>
      webPolicy(web, `${closed}\n  promote: Continuously\n  promotion: { ${promotion} }`)
    const apply = async () => {
      // As Flux does: between the two writes of a promotion the promoter owns the image.
      await kubectl('apply --server-side --force-conflicts --field-manager=flux -f -', manifest)
      return kubectl('get deployment web -o jsonpath={.spec.template.spec.containers[0].image}')
    }
    await inForce(policy(windows))
    await everyReplicaKnows('v1.4.9')
    t.equal(await apply(), pinned('acme/web', 'v1.4.9'))
    registry.push('acme/web', 'v1.4.10')
    await kubectl(`annotate imagerepositories -A --all tagwarden.io/scan=again --overwrite`)
    await everyReplicaKnows('v1.4.10')
    for (let n = 0; n < 6; n += 1) t.equal(await apply(), pinned('acme/web', 'v1.4.9'))
    await kubectl('apply -f -', policy('canary: 1'))
    await eventually('it is moved', async () => (await apply()) === pinned('acme/web', 'v1.4.10'))
    await kubectl('delete deployments --all')
    await kubectl('apply -f -', webPolicy(web, closed))
  })

  await t.test('5,000 Deployments are applied while a replica dies', async (t) => {
    const wrong = new Set<string>()
    let next = 0
    let again = 0
    const wanted = pinned('acme/web', 'v1.4.10')
    const lane = async () => {
      for (let n = next++; n < 5_000; n = next++) {
        // What the API server could not have reviewed is refused; whoever applied tries again.
        for (let tries = 0; ; tries += 1) {
          const bad = n % 50 === 7
          const body = object(`many-${n}`, bad ? `${web}:v2.0.0` : `${web}:v1.3.0`)
          const answer = await admin.call('POST', DEPLOYMENTS, body)
          const message = String(answer.body['message'])
          if (answer.status === 500 && /failed calling webhook/.test(message) && tries < 20) {
            again += 1
            await delay(50)
            continue
          }
          const good = bad
            ? answer.status === 403 && /\[OutOfRange\]/.test(message)
            : answer.status === 201 && imageOf(answer.body) === wanted
          if (!good) wrong.add(`${answer.status} ${imageOf(answer.body) ?? message}`)
          break
        }
      }
    }
    const work = Promise.all(Array.from({ length: 16 }, lane))
    await eventually('half are there', () => next > 1_500, 600_000)
    await world.replicas[0]?.kill()
    await eventually('more are there', () => next > 3_000, 600_000)
    await world.start('replica-6')
    await work
    t.strictSame([...wrong], [])
    t.comment(`${again} were tried again`)
    const sets = async () =>
      (await listAll(admin, '/apis/apps/v1/namespaces/default/replicasets')).filter((set) =>
        (set as unknown as { metadata: { name: string } }).metadata.name.startsWith('many-'),
      ).length
    await eventually(
      'every Deployment has its ReplicaSet',
      async () => (await sets()) >= 4_900,
      900_000,
    )
    t.equal(await sets(), 4_900, 'and none has a second one')
  })

  await t.test('uninstalled: nothing of what the replicas made is left', async () => {
    for (const replica of [...world.replicas]) await replica.kill()
    await world.helm('uninstall', NAME)
    await eventually('they are collected', async () => {
      const left = await kubectl(
        'get mutatingwebhookconfigurations,validatingwebhookconfigurations -o name',
      )
      return !left.includes(NAME)
    })
    await eventually('so are Secret and Lease', async () => {
      const left = await kubectl(`get secrets,leases -n ${NAMESPACE} -o name`)
      return !left.includes(NAME)
    })
    await eventually('nobody is asked any more', async () => {
      const { status } = await admin.call('POST', DEPLOYMENTS, object('after', `${web}:latest`))
      return status === 201
    })
  })
})
