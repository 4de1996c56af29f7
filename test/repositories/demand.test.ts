import t, { type Test } from 'tap'
import { IMAGE_REPOSITORIES } from '../../src/cluster/index.ts'
import { type ImageRepository, managedName } from '../../src/repositories/index.ts'
import { policy } from '../fakes/facts.ts'
import { digest, WEB } from '../scanner/stage.ts'
import { makeWorld, OWN, policySet, type Replica, repository, type World } from './stage.ts'

const HOUR = 3_600_000
const API = 'registry.test/acme/api'
const GLOB = { images: ['registry.test/acme/*'], covers: (name: string) => name.startsWith('reg') }

/** A world whose policies cover all of the registry, and name nothing. */
function covered(t: Test): World {
  const world = makeWorld(t)
  world.policies = policySet(policy(GLOB))
  world.images.set(API, new Map([['v1.0.0', digest('a')]]))
  return world
}

function objects(world: World): ImageRepository[] {
  return world.cluster.all<ImageRepository>(IMAGE_REPOSITORIES)
}

function creations(world: World) {
  return world.cluster.calls.filter(({ verb }) => verb === 'create')
}

/** A workload's review has gathered the facts; then it is told of. */
async function use(replica: Replica, name: string, access?: string): Promise<void> {
  const patient = new AbortController().signal
  const source = replica.scanner.view(() =>
    access === undefined ? undefined : { id: access, version: '1' },
  )
  await source.gather({ fact: 'repository', name }, patient)
  replica.repositories.used(name, access)
}

t.test('a repository that a workload uses and a policy covers gets an object, once', async (t) => {
  const world = covered(t)
  const [one, two] = [world.start(), world.start()]
  await Promise.all([one.repositories.synced, two.repositories.synced])
  await Promise.all([use(one, API), use(two, API), use(one, API)])
  await world.until('it is made', () => objects(world).length > 0, 100)
  await world.pass(5_000)
  const [made, ...more] = objects(world)
  t.strictSame(more, [])
  t.match(made, {
    metadata: {
      name: managedName(API),
      namespace: OWN,
      labels: { 'tagwarden.io/managed': 'true' },
    },
    spec: { image: API, interval: '10m' },
  })
  t.equal(made?.spec.secretRef, undefined)
  const before = creations(world).length
  await use(one, API)
  await world.pass(5_000)
  t.equal(creations(world).length, before, 'using it again asks the API server nothing')
  one.lead()
  await world.until('it is read', () => objects(world)[0]?.status?.revision, 1_000)
})

t.test('what a pull secret reads gets its object beside that secret', async (t) => {
  const world = covered(t)
  const replica = world.start()
  await replica.repositories.synced
  await use(replica, API, 'shop/regcred')
  await world.until('it is made', () => objects(world).length > 0, 100)
  const [made] = objects(world)
  t.match(made, {
    metadata: { name: managedName(`${API} shop/regcred`), namespace: 'shop' },
    spec: { image: API, secretRef: { name: 'regcred' } },
  })
  t.not(made?.metadata.name, managedName(API))
  t.equal(replica.repositories.accessIn('shop', API), 'shop/regcred')
  t.equal(replica.repositories.accessIn('other', API), undefined)
})

t.test(
  'nothing is made for what no policy covers, or no registry knows, or is there',
  async (t) => {
    const world = covered(t)
    world.policies = policySet(policy({ images: [API] }))
    world.cluster.put(IMAGE_REPOSITORIES, repository({ image: API }, { name: 'by-hand' }))
    const replica = world.start()
    replica.repositories.used(API, undefined)
    await replica.repositories.synced
    await use(replica, WEB)
    await use(replica, API)
    for (const name of ['', '__proto__', 'registry.test/typo', `r.test/${'x'.repeat(300)}`]) {
      replica.repositories.used(name, undefined)
      replica.repositories.used(API, name)
    }
    await world.pass(HOUR)
    t.strictSame(creations(world), [])
    world.policies = policySet(policy({ images: [API, WEB] }))
    replica.repositories.policiesChanged()
    await use(replica, WEB)
    await world.until('a new policy covers it', () => objects(world).length === 2, 100)
  },
)

t.test('names of objects are names, and differ for each key', (t) => {
  const keys = [
    WEB,
    API,
    'docker.io/library/nginx',
    'r.test/a/__x__',
    'r.test/a/A_B.c--d',
    `r.test/${'long-'.repeat(40)}x`,
    'r.test/é',
    '',
    '__proto__',
    `${WEB} shop/regcred`,
    `${WEB} shop/other`,
  ]
  const names = keys.map(managedName)
  for (const name of names) t.match(name, /^[a-z0-9](-?[a-z0-9])*$/)
  for (const name of names) t.ok(name.length <= 63)
  t.equal(new Set(names).size, keys.length)
  t.match(managedName(WEB), /^web-[0-9a-f]{8}$/)
  t.end()
})

t.test('a refusal is told once, other trouble is tried again', async (t) => {
  const world = covered(t)
  const replica = world.start()
  await replica.repositories.synced
  world.cluster.refuse('create', IMAGE_REPOSITORIES, 'Forbidden', { times: 2 })
  await use(replica, API)
  await use(replica, WEB)
  await world.until('it was refused', () => creations(world).length === 2, 100)
  await world.until('it is told', () => replica.log.length > 0)
  t.equal(replica.log.length, 1)
  t.match(replica.log[0], /Tagwarden makes no ImageRepository in tagwarden: .*forbidden/)
  world.cluster.refuse('create', IMAGE_REPOSITORIES, 'InternalError', { times: 2 })
  await world.pass(HOUR)
  replica.repositories.used(API, undefined)
  await world.until('it is made after all', () => objects(world).length === 1, 500)
})

t.test('what policies name in full gets an object before anybody uses it', async (t) => {
  const world = covered(t)
  world.policies = policySet(
    policy({ images: [API], namespace: 'shop' }),
    policy({ images: ['registry.test/acme/*', WEB], namespace: 'other', name: 'x' }),
  )
  world.cluster.put(
    IMAGE_REPOSITORIES,
    repository({ secretRef: { name: 'regcred' } }, { namespace: 'other' }),
  )
  const [leader, follower] = [world.start(), world.start()]
  await follower.repositories.synced
  await world.pass(60_000)
  t.equal(objects(world).length, 1, 'it is the leader who does that')
  leader.lead()
  await world.until('it is made', () => objects(world).length > 1, 100)
  await world.pass(60_000)
  t.strictSame(
    objects(world).map(({ metadata }) => metadata.name),
    ['web', managedName(API)],
    'and not where the namespace has one of its own',
  )
  world.policies = policySet(policy({ images: [WEB], namespace: 'shop' }))
  leader.repositories.policiesChanged()
  await world.until('another policy, another object', () => world.object(managedName(WEB)), 1_000)
  await world.until('the first one is not needed', () => !world.object(managedName(API)), 1_000)
})

t.test('what is deleted though a policy names it is made again soon', async (t) => {
  const world = makeWorld(t)
  const one = world.start()
  await one.repositories.synced
  one.lead()
  await world.until('it is made', () => objects(world).length > 0, 100)
  const [made] = objects(world)
  world.cluster.drop(IMAGE_REPOSITORIES, made?.metadata as { name: string })
  for (let second = 0; second < 30; second += 1) await world.pass(1_000)
  t.equal(objects(world).length, 1)
  t.not(objects(world)[0]?.metadata.uid, made?.metadata.uid)
  // all of them, with their definition
  world.cluster.serve(IMAGE_REPOSITORIES, false)
  world.cluster.drop(IMAGE_REPOSITORIES, objects(world)[0]?.metadata as { name: string })
  await world.pass(20_000)
  t.strictSame(objects(world), [])
  world.cluster.serve(IMAGE_REPOSITORIES, true)
  for (let second = 0; second < 120; second += 1) await world.pass(1_000)
  t.equal(objects(world).length, 1)
})

t.test('what no workload uses for a day is removed; what a person made is not', async (t) => {
  const world = covered(t)
  world.cluster.put(IMAGE_REPOSITORIES, repository({}, { name: 'by-hand' }))
  const [leader, other] = [world.start(), world.start()]
  await other.repositories.synced
  await use(other, API, 'shop/regcred')
  leader.lead()
  await world.until('it is made', () => objects(world).length === 2, 100)
  for (let hour = 0; hour < 30; hour += 1) {
    other.repositories.used(API, 'shop/regcred')
    await world.pass(HOUR)
  }
  const managed = () => world.object(managedName(`${API} shop/regcred`), 'shop')
  t.ok(managed(), 'it is in use')
  const reports = world.cluster.calls.filter(
    ({ verb, body }) => verb === 'patch' && JSON.stringify(body).includes('lastUsedTime'),
  )
  t.ok(reports.length >= 25 && reports.length <= 30, `${reports.length} reports in 30 hours`)
  await world.pass(23 * HOUR)
  t.ok(managed(), 'a day has not passed yet')
  await world.until('it is removed', () => !managed(), HOUR / 4)
  t.ok(world.object('by-hand'))
  t.equal(leader.catalog.get(`${API} shop/regcred`), undefined, 'and what it read is forgotten')
  world.policies = policySet()
  leader.repositories.policiesChanged()
  await world.pass(48 * HOUR)
  t.ok(world.object('by-hand'))
})

t.test('what a policy promotes continuously is kept, though nobody applies it again', async (t) => {
  const world = covered(t)
  world.policies = policySet(policy({ ...GLOB, promote: 'Continuously' }))
  const leader = world.start()
  await leader.repositories.synced
  await use(leader, API, undefined)
  leader.lead()
  await world.until('it is made', () => world.object(managedName(API)), 100)
  await world.pass(72 * HOUR)
  t.ok(world.object(managedName(API)))
  world.policies = policySet()
  leader.repositories.policiesChanged()
  await world.until('no policy covers it', () => !world.object(managedName(API)), HOUR)
})

t.test('of several replicas that see the same use, one writes it down', async (t) => {
  const world = covered(t)
  const name = managedName(API)
  const replicas = [world.start(), world.start(), world.start()]
  for (const { repositories } of replicas) await repositories.synced
  world.cluster.put(IMAGE_REPOSITORIES, {
    ...repository({ image: API }, { name, labels: { 'tagwarden.io/managed': 'true' } }),
  })
  await world.pass(1_000)
  replicas[0]?.repositories.used(API, undefined)
  await world.until('it is noted', () => world.status(name).lastUsedTime, 100)
  const before = world.cluster.calls.length
  await world.pass(1_000)
  for (const { repositories } of replicas) repositories.used(API, undefined)
  await world.pass(10_000)
  t.equal(world.cluster.calls.length, before)
})
