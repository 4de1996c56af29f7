import t from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { IMAGE_REPOSITORIES } from '../../src/cluster/index.ts'
import { plainQuestion } from '../../src/decisions/index.ts'
import { settle } from '../../src/facts/index.ts'
import { parseReference } from '../../src/images/index.ts'
import { managedName } from '../../src/repositories/index.ts'
import { DEFAULTS, policy } from '../fakes/facts.ts'
import { digest, INTERVAL, START, unreachable, WEB } from '../scanner/stage.ts'
import { makeWorld, policySet, type Replica, ready, repository, type World } from './stage.ts'

const track = policy({ images: [WEB], action: 'Track' })

/** What a replica makes of an image under a Track policy. */
async function resolve(world: World, { scanner }: Replica, tag = 'v1.2.3') {
  const question = plainQuestion(parseReference(`${WEB}:${tag}`), [track], DEFAULTS)
  const { clock } = world.time
  const [decision] = await settle([question], {
    source: scanner,
    deadline: clock() + 10_000,
    clock,
  })
  return decision?.change?.to
}

t.test(
  'only the leader asks the registry; the others, and one that starts, answer alike',
  async (t) => {
    const world = makeWorld(t)
    const [leader, follower] = [world.start(), world.start()]
    world.cluster.put(IMAGE_REPOSITORIES, repository())
    leader.lead()
    await world.until('it is read', () => world.status().revision, 1_000)
    await world.until('it is adopted', () => follower.catalog.get(WEB)?.manifest('v1.4.2'))
    const fresh = world.start()
    t.equal(fresh.repositories.isSynced(), false)
    await fresh.repositories.synced
    t.equal(fresh.repositories.isSynced(), true)
    for (const replica of [leader, follower, fresh]) {
      t.equal(await resolve(world, replica), `${WEB}:v1.4.2@${digest('4')}`)
    }
    t.strictSame(leader.client.calls, [`list ${WEB}`, `head ${WEB}:v1.4.2`])
    t.strictSame(follower.client.calls, [])
    t.strictSame(fresh.client.calls, [])

    world.images.get(WEB)?.set('v1.5.0', digest('5'))
    await world.pass(INTERVAL * 1.2)
    await world.until('the new tag is adopted', () => fresh.catalog.get(WEB)?.manifest('v1.5.0'))
    t.equal(await resolve(world, fresh), `${WEB}:v1.5.0@${digest('5')}`)
    t.strictSame([...follower.client.calls, ...fresh.client.calls], [])
  },
)

t.test(
  'what somebody writes into the status of an object of their own poisons nobody',
  async (t) => {
    const world = makeWorld(t)
    world.policies = policySet(track)
    const leader = world.start()
    leader.lead()
    await world.until('Tagwarden made its own object', () => world.object(managedName(WEB)), 1_000)
    await world.until('it is read', () => world.status(managedName(WEB)).index, 1_000)
    const forger = createCatalog()
    forger.recordTags(WEB, ['v1.2.3', 'v1.9.9'], world.time.clock())
    const forged = { digest: digest('6'), mediaType: 'm', platforms: undefined }
    forger.recordManifest(WEB, 'v1.9.9', forged, world.time.clock())
    const index = (await forger.pack(WEB))?.toString('base64') ?? ''
    const failed = {
      type: 'Ready',
      status: 'False' as const,
      reason: 'ReadOperationFailed',
      message: 'registry.test is down',
      lastTransitionTime: new Date(world.time.clock()).toISOString(),
    }
    world.cluster.put(IMAGE_REPOSITORIES, {
      ...repository({}, { name: 'mine', namespace: 'shop' }),
      status: { revision: 'ff', index, conditions: [failed] },
    })
    const fresh = world.start()
    await fresh.repositories.synced
    for (const replica of [leader, fresh]) {
      t.equal(await resolve(world, replica), `${WEB}:v1.4.2@${digest('4')}`)
      t.equal(replica.catalog.get(WEB)?.has('v1.9.9'), false)
      t.equal(replica.catalog.get(WEB)?.failure, undefined)
    }
    t.strictSame(fresh.client.calls, [])
  },
)

t.test('the status says what is known, and what each policy selects', async (t) => {
  const world = makeWorld(t)
  world.policies = policySet(
    policy({ images: [WEB], name: 'a' }),
    policy({ images: [WEB], name: 'b', rule: { order: { semver: { range: '1.2.x' } } } }),
    policy({ images: [WEB], name: 'c', rule: { order: { semver: { range: '3.x' } } } }),
    policy({ images: ['registry.test/other'], name: 'd' }),
  )
  world.cluster.put(IMAGE_REPOSITORIES, repository())
  world.start().lead()
  await world.until('it is read', () => world.status().tagCount, 1_000)
  const status = world.status()
  t.equal(ready(status), 'True Succeeded: 2 tags, read every 10m')
  t.strictSame(status.latestTags, ['v1.4.2', 'v1.2.3'])
  t.strictSame(status.selections, [
    { policy: 'ImagePolicy shop/a', tag: 'v1.4.2', digest: digest('4'), version: 'v1.4.2' },
    { policy: 'ImagePolicy shop/b', tag: 'v1.2.3', digest: digest('1'), version: 'v1.2.3' },
    { policy: 'ImagePolicy shop/c' },
  ])
  t.ok((status.indexBytes ?? 0) > 100)
  t.equal(status.observedGeneration, 1)
})

t.test(
  'a scan that says nothing new is written once in an interval, and costs nothing idle',
  async (t) => {
    const world = makeWorld(t)
    world.cluster.put(IMAGE_REPOSITORIES, repository())
    const leader = world.start()
    leader.lead()
    await world.until('it is read', () => world.status().revision, 1_000)
    const writes = () => world.cluster.calls.filter(({ verb }) => verb === 'patch').length
    const [before, revision] = [writes(), world.status().revision]
    await leader.scanner.scanNow(WEB)
    await world.pass(60_000)
    t.equal(writes(), before, 'a scan at once tells nothing new')
    for (let round = 1; round <= 5; round += 1) {
      await world.pass(INTERVAL)
      await world.until('it is written', () => writes() > before + round - 1)
    }
    t.ok(writes() <= before + 6, `${writes() - before} writes in five intervals`)
    t.equal(world.status().revision, revision)
    t.ok(Date.parse(world.status().lastScanTime ?? '') > START + 4 * INTERVAL)
  },
)

t.test('a new leader goes on where the old one stopped', async (t) => {
  const world = makeWorld(t)
  world.cluster.put(IMAGE_REPOSITORIES, repository())
  const [one, two] = [world.start(), world.start()]
  const end = one.lead()
  await world.until('it is read', () => world.status().revision, 1_000)
  await world.until('it is adopted', () => two.catalog.get(WEB))
  await world.pass(INTERVAL / 2)
  await end()
  two.lead()
  const lists = (replica: Replica) => replica.client.calls.filter((call) => call.startsWith('list'))
  await world.pass(INTERVAL / 4)
  t.strictSame([lists(one).length, lists(two).length], [1, 0], 'not twice in an interval')
  await world.pass(INTERVAL / 2)
  t.strictSame([lists(one).length, lists(two).length], [1, 1], 'and the old one does no more')
})

t.test('what fails is said with the registry’s words, on every replica', async (t) => {
  const world = makeWorld(t)
  world.cluster.put(IMAGE_REPOSITORIES, repository())
  const [leader, follower] = [world.start(), world.start()]
  const end = leader.lead()
  await world.until('it is read', () => world.status().revision, 1_000)
  leader.client.failure = unreachable()
  await world.pass(INTERVAL * 1.2)
  await world.until('it is said', () => ready(world.status()).startsWith('False'))
  t.equal(
    ready(world.status()),
    'False ReadOperationFailed: registry.test refused the connection; what was read before stays in force',
  )
  t.equal(world.status().tagCount, 2)
  await world.until('the follower knows', () => follower.catalog.get(WEB)?.failure)
  t.equal(follower.catalog.get(WEB)?.failure?.message, 'registry.test refused the connection')
  await end()
  follower.lead()
  await world.until('it can be read again', () => ready(world.status()).startsWith('True'), 1_000)
  t.equal(follower.catalog.get(WEB)?.failure, undefined)
})

t.test(
  'a digest that only a follower knows is confirmed by it, so that a moved tag is noticed',
  async (t) => {
    const world = makeWorld(t)
    world.policies = policySet()
    world.cluster.put(IMAGE_REPOSITORIES, repository())
    const [leader, follower] = [world.start(), world.start()]
    leader.lead()
    await world.until('it is adopted', () => follower.catalog.get(WEB), 1_000)
    const pin = { fact: 'manifest', name: WEB, tag: 'v1.2.3', platforms: false } as const
    await follower.scanner.gather(pin, new AbortController().signal)
    t.strictSame(follower.client.taken(), ['head web:v1.2.3'])
    world.images.get(WEB)?.set('v1.2.3', digest('b'))
    const scannedAt = ({ catalog }: Replica) => catalog.get(WEB)?.scannedAt
    for (let scan = 1; scan <= 2; scan += 1) {
      await world.pass(INTERVAL * 1.1)
      await world.until('it is adopted', () => scannedAt(follower) === scannedAt(leader))
    }
    const digestNow = () => follower.scanner.snapshot(WEB)?.manifest('v1.2.3')?.digest
    await world.until('it is noticed', () => digestNow() === digest('b'))
    t.strictSame([...new Set(follower.client.taken())], ['head web:v1.2.3'], 'no list is read')
  },
)

t.test('an index that is too large is read by each replica that needs it, once', async (t) => {
  const world = makeWorld(t)
  const random = (n: number) => Math.imul(n, 0x9e3779b1).toString(36).replace('-', 'x')
  const many = Array.from({ length: 70_000 }, (_, n): [string, string] => [
    `t${random(n)}${random(n * 7 + 1)}`,
    digest('2'),
  ])
  const tags = world.images.get(WEB)
  for (const [tag, of] of many) tags?.set(tag, of)
  world.cluster.put(IMAGE_REPOSITORIES, repository())
  const [leader, follower] = [world.start(), world.start()]
  leader.lead()
  await world.until('it is read', () => world.status().revision, 1_000)
  t.equal(world.status().index, undefined)
  t.ok((world.status().indexBytes ?? 0) > 256 * 1024, 'its size says why')
  await follower.repositories.synced
  t.strictSame(follower.client.calls, [])
  await Promise.all([resolve(world, follower), resolve(world, follower)])
  t.strictSame(follower.client.taken(), ['list web', 'head web:v1.4.2'])
  await world.pass(INTERVAL * 1.2)
  t.strictSame(follower.client.taken(), [], 'not again while nothing changes')
  tags?.set('v1.9.0', digest('9'))
  await world.pass(INTERVAL)
  await world.until('the new tag is there', () => follower.catalog.get(WEB)?.has('v1.9.0'))
})

t.test('a forged or damaged index is left out, and the leader writes it anew', async (t) => {
  const world = makeWorld(t)
  world.cluster.put(IMAGE_REPOSITORIES, {
    ...repository(),
    status: { revision: 'x', index: Buffer.from('hello').toString('base64') },
  } as never)
  const replica = world.start()
  await replica.repositories.synced
  t.match(replica.log, [/the shared index of registry.test\/acme\/web is left out: it is damaged/])
  t.equal(replica.catalog.get(WEB), undefined)
  replica.lead()
  await world.until('it is written', () => world.status().tagCount === 2, 1_000)
  const other = world.start()
  await other.repositories.synced
  t.equal(other.catalog.get(WEB)?.tags.length, 2)
})
