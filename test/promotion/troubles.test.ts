import t from 'tap'
import { DEPLOYMENTS, type KubernetesObject, NAMESPACES } from '../../src/cluster/index.ts'
import { type Promotion, parseCron } from '../../src/policies/index.ts'
import { digest, HOUR, MINUTE, policy } from '../fakes/facts.ts'
import { available, deploy, resolved, running, SECOND, trackAll, WEB, world } from './world.ts'

const NEW = ['v1.3.0', 'v1.4.1', 'v1.4.2', 'v1.4.3']
const HELD = { annotations: { 'tagwarden.io/hold': 'true' } }

const paced = (promotion: Partial<Promotion>) =>
  trackAll({ promotion: { windows: [], maxPerMinute: 0, canary: 0, ...promotion } })

function windowOf(schedule: string, duration: number) {
  const cron = parseCron(schedule)
  if ('message' in cron) throw new Error(cron.message)
  return { schedule, cron, timeZone: 'UTC', duration }
}

t.test('very many workloads of a held namespace keep no others from moving', async (t) => {
  const w = world(t, [trackAll({ kind: 'ClusterImagePolicy', name: 'all' })])
  w.cluster.put(NAMESPACES, { metadata: { name: 'held', ...HELD } })
  const many = Array.from({ length: 600 }, (_, index) => `w${String(index).padStart(3, '0')}`)
  for (const name of many) {
    w.cluster.put(
      DEPLOYMENTS,
      running(name, 'v1.4.2', { metadata: { namespace: 'held' } }) as never,
    )
  }
  deploy(w, ['a', 'b'])
  w.lead()
  w.scan(NEW)
  await w.pass(5 * MINUTE)
  t.strictSame(w.moved(), ['a', 'b'])
  const listed = w.cluster.calls.filter(({ verb }) => verb === 'list').length
  await w.pass(HOUR)
  t.equal(w.cluster.calls.filter(({ verb }) => verb === 'list').length, listed, 'and then it rests')
})

t.test('of a held namespace, what is not available keeps no others waiting', async (t) => {
  const w = world(t, [
    trackAll({
      ...{ kind: 'ClusterImagePolicy', name: 'all' },
      promotion: { windows: [], maxPerMinute: 0, canary: 1 },
    }),
  ])
  w.cluster.put(NAMESPACES, { metadata: { name: 'held', ...HELD } })
  const broken = { metadata: { namespace: 'held' }, status: { observedGeneration: 1 } }
  w.cluster.put(DEPLOYMENTS, running('broken', 'v1.4.3', broken) as never)
  deploy(w, ['a'])
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['a'])
})

t.test('very many workloads that stopped keep no others from moving', async (t) => {
  const api = 'ghcr.io/acme/api'
  const both = (promotion: Partial<Promotion>) => ({ ...paced(promotion), images: [WEB, api] })
  const covers = (name: string) => name === WEB || name === api
  const w = world(t, [{ ...both({ canary: 1 }), covers, specificity: (name) => name.length }])
  const many = Array.from({ length: 600 }, (_, index) => `w${String(index).padStart(3, '0')}`)
  deploy(w, many)
  w.lead()
  w.scan(NEW)
  await w.pass(HOUR)
  t.ok(w.told('ImagePolicy').includes('web PromotionStopped'))
  t.strictSame(w.moved(), ['w000'])
  w.cluster.put(DEPLOYMENTS, {
    metadata: { name: 'x', namespace: 'shop' },
    spec: { template: { spec: { containers: [{ name: 'app', image: `${api}:v1.4.2` }] } } },
    status: available(1),
  } as never)
  w.scan(['v1.4.2', 'v1.4.3'], { name: api })
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['w000', 'x'])
})

t.test('how many wait for the next window leaves out what has moved', async (t) => {
  const w = world(t, [paced({ windows: [windowOf('0 12 * * *', 90 * SECOND)], maxPerMinute: 1 })])
  deploy(w, ['a', 'b', 'c', 'd'])
  w.lead()
  w.scan(NEW)
  await w.pass(HOUR)
  const left = 4 - w.moved().length
  t.ok(left > 0 && left < 4)
  const waiting = w.events.find(({ reason }) => reason === 'PromotionWaiting')
  t.match(waiting?.message, `${left} workload`)
})

t.test('a wait of long ago does not count against a workload', async (t) => {
  const web = paced({ canary: 1 })
  const other = (image: string) => trackAll({ name: 'other', images: [`ghcr.io/acme/${image}`] })
  const w = world(t, [web])
  deploy(w, ['a', 'b'])
  const answer = w.cluster.refuse('watch', DEPLOYMENTS, 'InternalError')
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['a'])
  w.rollOut('a')
  // planned anew before a watch tells that it is available
  w.setPolicies([web, other('api')])
  await w.pass(MINUTE)
  answer()
  t.strictSame(w.moved(), ['a', 'b'])
  w.rollOut('b')
  await w.pass(2 * HOUR)
  deploy(w, ['a'], 'v1.4.3', { status: { observedGeneration: 9 } })
  deploy(w, ['c'])
  w.setPolicies([web, other('db')])
  await w.pass(MINUTE)
  t.strictSame(w.told('ImagePolicy'), ['web Promoted', 'web Promoted'], 'it has its time')
  w.rollOut('a')
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['a', 'b', 'c'])
})

t.test('a canary that is held while it is waited for counts no more', async (t) => {
  const w = world(t, [paced({ canary: 1 })])
  deploy(w, ['a', 'b', 'c'])
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['a'])
  const held = { metadata: HELD, status: { observedGeneration: 1 } }
  deploy(w, ['a'], 'v1.4.3', held)
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['a', 'b'], 'the next one is the canary')
  w.rollOut('b')
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['a', 'b', 'c'])
  t.notOk(w.told('ImagePolicy').includes('web PromotionStopped'))
})

t.test('of many namespaces, all are looked at by one list', async (t) => {
  const w = world(t, [trackAll({ kind: 'ClusterImagePolicy', name: 'all' })])
  const names = Array.from({ length: 100 }, (_, index) => `n${index}`)
  for (const name of names) {
    w.cluster.put(NAMESPACES, { metadata: { name, ...(name === 'n77' && HELD) } })
    w.cluster.put(DEPLOYMENTS, running('a', 'v1.4.2', { metadata: { namespace: name } }) as never)
  }
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.equal(w.moved().length, 99)
  t.notOk(w.moved().includes('n77/a'))
  const asked = (verb: string) =>
    w.cluster.calls.filter((each) => each.resource === 'namespaces' && each.verb === verb).length
  t.equal(asked('list'), 1)
  t.ok(asked('get') < 99 + 25, 'and each once more before it is written to')
})

t.test('a clock that is set back stops no promotion', async (t) => {
  const w = world(t, [paced({ maxPerMinute: 6 })])
  let back = 0
  deploy(w, ['a', 'b', 'c'])
  w.lead({ clock: () => w.clock() - back })
  w.scan(NEW)
  await w.pass(15 * SECOND)
  t.equal(w.moved().length, 1)
  back = 6 * HOUR
  await w.pass(MINUTE)
  t.equal(w.moved().length, 3)
})

t.test('what could not be written is tried again, ever more rarely', async (t) => {
  const w = world(t)
  deploy(w, ['a', 'b'])
  const heal = w.cluster.refuse('patch', DEPLOYMENTS, 'Forbidden', { name: 'a' })
  w.lead()
  w.scan(NEW)
  await w.pass(5 * MINUTE)
  t.strictSame([...new Set(w.moved())].sort(), ['a', 'b'])
  t.strictSame(w.tags(), { a: 'v1.4.2', b: 'v1.4.3' })
  heal()
  await w.pass(HOUR)
  t.strictSame(w.tags(), { a: 'v1.4.3', b: 'v1.4.3' })
})

t.test('a workload that is paused or taken over while it waits for its turn stays', async (t) => {
  const owner = { apiVersion: 'x.io/v1', kind: 'X', name: 'x', uid: '1', controller: true }
  const changes = [
    { spec: { ...running('b', 'v1.4.2').spec, paused: true } },
    { metadata: { ownerReferences: [owner] } },
  ]
  for (const change of changes) {
    const w = world(t, [paced({ maxPerMinute: 1 })])
    deploy(w, ['a', 'b', 'c'])
    w.lead()
    w.scan(NEW)
    await w.pass(90 * SECOND)
    t.strictSame(w.moved(), ['a'])
    deploy(w, ['b'], 'v1.4.2', change)
    await w.pass(5 * MINUTE)
    t.strictSame(w.moved(), ['a', 'c'])
  }
})

t.test('of a workload with two policies, each moves its own image at its own pace', async (t) => {
  const API = 'ghcr.io/acme/api'
  const promotion = { windows: [], maxPerMinute: 0, canary: 0 }
  const windows = [windowOf('0 0 1 1 *', HOUR)]
  const w = world(t, [
    trackAll(),
    trackAll({ name: 'api', images: [API], promotion: { ...promotion, windows } }),
  ])
  const images = [resolved('v1.4.2'), resolved('v1.4.2').replace(WEB, API)]
  const names = ['app', 'api']
  const records = images.map((image, at) => ({
    ...{ container: names[at], resolved: image, policy: 'x' },
    requested: image.replace(/:.*/, ':v1.3.0'),
  }))
  const containers = images.map((image, at) => ({ name: names[at], image }))
  w.cluster.put(DEPLOYMENTS, {
    metadata: {
      ...{ name: 'both', namespace: 'shop' },
      annotations: { 'tagwarden.io/images': JSON.stringify(records) },
    },
    ...{ spec: { replicas: 1, template: { spec: { containers } } }, status: available(1) },
  } as never)
  w.scan(['v1.4.2'], { name: API })
  w.lead()
  w.scan(NEW, { name: API })
  w.scan(NEW)
  await w.pass(10 * MINUTE)
  const [both] = w.cluster.all<KubernetesObject & ReturnType<typeof running>>(DEPLOYMENTS)
  t.strictSame(
    both?.spec.template.spec.containers.map(({ image }) => image),
    [resolved('v1.4.3'), images[1]],
  )
})

t.test('a version that was pushed again moves when it is old enough since then', async (t) => {
  const guard = policy({ kind: 'ClusterImagePolicy', name: 'guard', minimumAge: 2 * HOUR })
  for (const policies of [[trackAll({ minimumAge: 2 * HOUR })], [trackAll(), guard]]) {
    const w = world(t, policies)
    deploy(w, ['a'])
    w.lead()
    // first seen two days ago, with another digest until now
    w.scan(NEW, { before: { 'v1.4.3': Array.from({ length: 48 }, () => digest('0')) } })
    await w.pass(2 * HOUR - SECOND)
    t.strictSame(w.moved(), [])
    await w.pass(2 * MINUTE)
    t.strictSame(w.moved(), ['a'])
  }
})

t.test('workloads that fail here and there stop no wave; five in a row do', async (t) => {
  const w = world(t)
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
  deploy(w, names)
  for (const name of names.filter((each) => each !== 'e')) {
    w.cluster.refuse('patch', DEPLOYMENTS, 'Forbidden', { name })
  }
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.equal(w.tags()['e'], 'v1.4.3')
  t.notOk(w.told('ImagePolicy').includes('web PromotionStopped'))
})
