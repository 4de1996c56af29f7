import t from 'tap'
import { IMAGE_REPOSITORIES } from '../../src/cluster/index.ts'
import type { ImageRepository } from '../../src/repositories/index.ts'
import { digest, INTERVAL, WEB } from '../scanner/stage.ts'
import { makeWorld, OWN, ready, repository, type World } from './stage.ts'

function annotated(world: World, annotations: Record<string, string>, name = 'web') {
  const object = world.object(name)
  world.cluster.put(IMAGE_REPOSITORIES, {
    ...object,
    metadata: { ...object?.metadata, name, annotations },
  } as ImageRepository)
}

t.test('an object says how its repository is scanned', async (t) => {
  const world = makeWorld(t)
  world.images.get(WEB)?.set('v2.0.0-rc.1', digest('c'))
  const put = (spec: Partial<ImageRepository['spec']>) =>
    world.cluster.put(IMAGE_REPOSITORIES, repository(spec))
  put({ interval: '2m', exclusionList: ['-rc', '^sha-'] })
  const leader = world.start()
  leader.lead()
  await world.until('it is read', () => world.status().revision, 1_000)
  t.equal(world.status().tagCount, 2, 'a tag of the exclusionList is not there')
  leader.client.taken()
  await world.pass(125_000)
  t.ok(leader.client.taken().includes('list web'), 'each two minutes')
  put({ interval: '2m', suspend: true })
  await world.until('it is suspended', () => ready(world.status()).includes('Suspended'), 1_000)
  leader.client.taken()
  await world.pass(INTERVAL * 3)
  t.strictSame(leader.client.taken(), [], 'it is not scanned')
  t.equal(world.status().tagCount, 2, 'and what was known stays')
  put({ interval: '2m' })
  await world.until('it goes on', () => ready(world.status()).includes('Succeeded'), 1_000)
  await world.until('all tags are there', () => world.status().tagCount === 3, 10_000)
})

t.test('an object that cannot be read says so, and costs the others nothing', async (t) => {
  const world = makeWorld(t)
  const rows: [what: string, spec: object, says: RegExp][] = [
    ['a tag', { image: `${WEB}:v1` }, /InvalidImage: spec.image: .*has a tag or digest. Write/],
    ['a digest', { image: `${WEB}@${digest('a')}` }, /InvalidImage: spec.image: .*has a tag or/],
    ['a scheme', { image: `https://${WEB}` }, /InvalidImage: spec.image: "?https:/],
    ['a glob', { image: 'registry.test/*' }, /InvalidImage: spec.image: /],
    ['nothing', { image: '' }, /InvalidImage: spec.image: /],
    ['no text', { image: 7 }, /InvalidImage: spec.image: /],
    ['NUL', { image: 'registry.test/a\0b' }, /InvalidImage: spec.image: /],
    ['300 characters', { image: `r.test/${'x'.repeat(300)}` }, /InvalidImage: spec.image: /],
    ['an exclusion', { image: WEB, exclusionList: ['('] }, /InvalidSpec: spec.exclusionList\[0/],
    [
      'no Secret',
      { image: WEB, secretRef: { name: 'gone' } },
      /SecretNotFound: there is no Secret/,
    ],
  ]
  for (const [index, [, spec]] of rows.entries()) {
    world.cluster.put(IMAGE_REPOSITORIES, repository(spec, { name: `o${index}` }))
  }
  world.cluster.put(IMAGE_REPOSITORIES, repository())
  const leader = world.start()
  leader.lead()
  await world.until('the good one is read', () => world.status().revision, 1_000)
  await world.until(
    'all are told',
    () => rows.every((_, index) => ready(world.status(`o${index}`))),
    500,
  )
  for (const [index, [what, , says]] of rows.entries()) {
    const status = world.status(`o${index}`)
    t.match(ready(status), says, what)
    const stalled = status.conditions?.some(({ type }) => type === 'Stalled')
    t.equal(stalled, what !== 'no Secret')
    t.equal(status.observedGeneration, 1)
  }
  t.strictSame(
    leader.client.calls.filter((call) => call.startsWith('list')),
    [`list ${WEB}`],
  )
  world.cluster.put(IMAGE_REPOSITORIES, repository({}, { name: 'o0' }))
  await world.until(
    'once put right it is good',
    () => ready(world.status('o0')).startsWith('True'),
    500,
  )
})

t.test('an object is read as soon as its Secret is there', async (t) => {
  const world = makeWorld(t)
  world.missing.add('shop/regcred')
  world.cluster.put(
    IMAGE_REPOSITORIES,
    repository({ secretRef: { name: 'regcred' } }, { namespace: 'shop' }),
  )
  const leader = world.start()
  leader.lead()
  await world.until(
    'it says so',
    () => ready(world.status('web', 'shop')).includes('SecretNot'),
    500,
  )
  await world.pass(INTERVAL * 2)
  t.strictSame(leader.client.calls, [])
  t.strictSame([...world.references], [['ImageRepository shop/web', ['regcred']]])
  world.changeSecret('shop/regcred', true)
  await world.until('it is read', () => world.status('web', 'shop').revision, 1_000)
  t.match(ready(world.status('web', 'shop')), /^True Succeeded/)
  world.changeSecret('shop/regcred', false)
  await world.until('and it is told when that goes', () =>
    ready(world.status('web', 'shop')).startsWith('False SecretNotFound'),
  )
  world.cluster.drop(IMAGE_REPOSITORIES, { namespace: 'shop', name: 'web' })
  await world.until('nobody asks for it any more', () => {
    const [[, names] = []] = world.references
    return names?.length === 0
  })
})

t.test(
  'an object that is deleted takes its settings along, and what only its access could read',
  async (t) => {
    const world = makeWorld(t)
    const key = `${WEB} shop/regcred`
    world.cluster.put(IMAGE_REPOSITORIES, repository({ exclusionList: ['.*'] }))
    world.cluster.put(
      IMAGE_REPOSITORIES,
      repository({ secretRef: { name: 'regcred' } }, { namespace: 'shop' }),
    )
    const [leader, follower] = [world.start(), world.start()]
    leader.lead()
    await world.until(
      'both are read',
      () => follower.catalog.get(key) && world.status().revision,
      500,
    )
    t.equal(leader.catalog.get(WEB)?.tags.length, 0)
    world.cluster.drop(IMAGE_REPOSITORIES, { namespace: OWN, name: 'web' })
    world.cluster.drop(IMAGE_REPOSITORIES, { namespace: 'shop', name: 'web' })
    await world.until(
      'it is forgotten',
      () => !follower.catalog.get(key) && !leader.catalog.get(key),
    )
    t.ok(leader.catalog.get(WEB), 'what the installation read stays')
    await leader.scanner.scanNow(WEB)
    t.equal(leader.catalog.get(WEB)?.tags.length, 2, 'without the settings that were')
  },
)

t.test('a namespace’s object does not say how the installation reads for all others', async (t) => {
  const world = makeWorld(t)
  const evil = { exclusionList: ['.*'], suspend: true }
  world.cluster.put(IMAGE_REPOSITORIES, repository(evil, { namespace: 'evil' }))
  world.cluster.put(IMAGE_REPOSITORIES, repository({}, { namespace: 'shop' }))
  const leader = world.start()
  leader.lead()
  await world.until('it is read', () => world.status('web', 'shop').tagCount === 2, 1_000)
  t.match(ready(world.status('web', 'evil')), /2 tags, read as the installation reads it/)
  world.cluster.put(IMAGE_REPOSITORIES, repository({ exclusionList: ['^v1.4'] }))
  await world.until('the installation’s own does', () => world.status().tagCount === 1, 60_000)
})

t.test('a new value of an annotation asks for a scan at once', async (t) => {
  const world = makeWorld(t)
  world.cluster.put(IMAGE_REPOSITORIES, repository())
  const leader = world.start()
  const end = leader.lead()
  await world.until('it is read', () => world.status().revision, 1_000)
  const rows: Record<string, string>[] = [
    { 'tagwarden.io/scan': '1' },
    { 'tagwarden.io/scan': '2' },
    { 'reconcile.fluxcd.io/requestedAt': '2026-11-25T10:00:00Z' },
    { 'tagwarden.io/scan': 'x'.repeat(1000) },
  ]
  for (const annotations of rows) {
    leader.client.taken()
    annotated(world, annotations)
    const value = Object.values(annotations)[0]?.slice(0, 512)
    await world.until('it is handled', () => world.status().lastHandledScan === value, 10)
    t.ok(leader.client.taken().includes('list web'))
  }
  annotated(world, { 'tagwarden.io/scan': '', unrelated: 'x' })
  await world.pass(1_000)
  t.strictSame(leader.client.taken(), [])
  annotated(world, { 'tagwarden.io/scan': 'while nobody leads' })
  await end()
  const other = world.start()
  other.lead()
  await world.until(
    'the next leader does it',
    () => world.status().lastHandledScan === 'while nobody leads',
    100,
  )
  t.equal(other.client.calls.filter((call) => call.startsWith('list')).length, 1)
})

t.test('one that is deleted and made anew is told of as new', async (t) => {
  const world = makeWorld(t)
  world.cluster.put(IMAGE_REPOSITORIES, repository())
  const leader = world.start()
  leader.lead()
  await world.until('it is read', () => world.status().revision, 1_000)
  world.cluster.drop(IMAGE_REPOSITORIES, { namespace: OWN, name: 'web' })
  world.images.set('registry.test/other', new Map([['v9', digest('9')]]))
  leader.client.repositories.set('registry.test/other', new Map([['v9', digest('9')]]))
  world.cluster.put(IMAGE_REPOSITORIES, repository({ image: 'registry.test/other' }))
  await world.until('it is read anew', () => world.status().tagCount === 1, 1_000)
  t.strictSame(world.status().latestTags, ['v9'])
})

t.test('an API server that fails costs no status, and a refusal is told once', async (t) => {
  const world = makeWorld(t)
  world.cluster.put(IMAGE_REPOSITORIES, repository())
  const leader = world.start()
  leader.lead()
  world.cluster.refuse('patch', IMAGE_REPOSITORIES, 'InternalError', { times: 3 })
  await world.until('it is written after all', () => world.status().revision, 1_000)
  t.equal(leader.repositories.problem(), undefined)
  world.cluster.available = false
  await world.until('it says so', () => leader.repositories.problem())
  t.match(leader.repositories.problem(), /ImageRepositories cannot be read: the API server/)
  t.equal(leader.repositories.isSynced(), true, 'what it knows is good for reviews')
  world.images.get(WEB)?.set('v1.6.0', digest('6'))
  await world.pass(INTERVAL * 1.2)
  world.cluster.available = true
  await world.until('it catches up', () => world.status().latestTags?.[0] === 'v1.6.0', 10_000)
  t.equal(leader.repositories.problem(), undefined)
  const before = leader.log.length
  const allow = world.cluster.refuse('patch', IMAGE_REPOSITORIES, 'Forbidden')
  world.images.get(WEB)?.set('v1.7.0', digest('7'))
  const writes = () => world.cluster.calls.filter(({ verb }) => verb === 'patch').length
  const after = writes() + 3
  await world.until('it was refused three times', () => writes() >= after, 61_000)
  await world.pass(0)
  t.match(leader.log.slice(before), [/what is read of registries is not shared: .*forbidden/])
  t.equal(leader.log.length, before + 1)
  allow()
  await world.until(
    'it is shared when the right is there',
    () => world.status().latestTags?.[0] === 'v1.7.0',
    61_000,
  )
})

t.test('many objects are written at a pace', async (t) => {
  const world = makeWorld(t)
  for (let n = 0; n < 200; n += 1) {
    world.images.set(`registry.test/r${n}`, new Map([['v1', digest('1')]]))
    world.cluster.put(
      IMAGE_REPOSITORIES,
      repository({ image: `registry.test/r${n}` }, { name: `r${n}` }),
    )
  }
  const leader = world.start()
  leader.lead()
  const done = () => {
    const all = world.cluster.all<ImageRepository>(IMAGE_REPOSITORIES)
    return all.every(({ status }) => status?.revision !== undefined)
  }
  const writes = () => world.cluster.calls.filter(({ verb }) => verb === 'patch').length
  let most = 0
  await world.until(
    'all are written',
    () => {
      most = Math.max(most, writes() - seen)
      seen = writes()
      return done()
    },
    1_000,
  )
  t.ok(most <= 45, `at most ${most} in a second`)
})
let seen = 0

t.test('an API server that drops a field is not written to again and again', async (t) => {
  const world = makeWorld(t)
  world.cluster.put(IMAGE_REPOSITORIES, repository())
  world.cluster.watch<ImageRepository>(
    IMAGE_REPOSITORIES,
    {},
    {
      upsert(object) {
        const { latestTags, ...status } = object.status ?? {}
        if (latestTags)
          world.cluster.put(IMAGE_REPOSITORIES, { ...object, status } as ImageRepository)
      },
      remove: () => {},
    },
  )
  world.start().lead()
  await world.until('it is read', () => world.status().revision, 1_000)
  const writes = () => world.cluster.calls.filter(({ verb }) => verb === 'patch').length
  await world.pass(INTERVAL)
  t.ok(writes() <= 6, `${writes()} writes in ten minutes`)
})
