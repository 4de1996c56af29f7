import t from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import {
  digest,
  INTERVAL,
  listWeb,
  manifestOf,
  PATIENT,
  START,
  setStage,
  unreachable,
  WEB,
} from './stage.ts'

t.test('what was asked for once is scanned each interval', async (t) => {
  const { scanner, client, time } = setStage()
  scanner.start()
  await scanner.gather(listWeb, PATIENT)
  client.repositories.get(WEB)?.set('v3', digest('3'))
  client.taken()
  await time.pass(INTERVAL - 1)
  t.strictSame(client.taken(), [])
  await time.pass(1)
  t.strictSame(client.taken(), ['list web'])
  t.strictSame(scanner.snapshot(WEB)?.change?.added, ['v3'])
  await time.pass(INTERVAL)
  t.strictSame(client.taken(), ['list web'])
  t.equal(scanner.snapshot(WEB)?.change, undefined)
  await scanner.stop()
  await time.pass(10 * INTERVAL)
  t.strictSame(client.taken(), [], 'until it is stopped')
})

t.test('without start, only what is asked for is read', async (t) => {
  const { scanner, client, time } = setStage()
  await scanner.gather(listWeb, PATIENT)
  scanner.watch(['registry.test/other'])
  client.taken()
  await time.pass(10 * INTERVAL)
  t.strictSame(client.taken(), [])
})

t.test('what nobody asks for in a day is left alone until somebody does', async (t) => {
  const { scanner, client, time } = setStage()
  scanner.start()
  await scanner.gather(listWeb, PATIENT)
  await time.pass(25 * 3_600_000)
  client.taken()
  await time.pass(3_600_000)
  t.strictSame(client.taken(), [])
  t.ok(scanner.snapshot(WEB))
  await time.pass(30_000)
  t.strictSame(client.taken(), ['list web'], 'then it is scanned soon')
  await time.pass(INTERVAL)
  t.strictSame(client.taken(), ['list web'])
  await scanner.stop()
})

t.test('what is watched is scanned though nobody asked', async (t) => {
  const { scanner, client, time } = setStage()
  scanner.start()
  scanner.watch([WEB])
  await time.pass(30_000)
  t.strictSame(client.taken(), ['list web'])
  scanner.watch([])
  await time.pass(25 * 3_600_000)
  client.taken()
  await time.pass(24 * 3_600_000)
  t.strictSame(client.taken(), [])
  await scanner.stop()
})

t.test('after a restart what was in use is scanned again, and answers until then', async (t) => {
  const path = t.testdir()
  const before = createCatalog({ path })
  before.recordTags(WEB, ['v1'], START - INTERVAL * 3)
  before.recordTags('registry.test/idle', ['v1'], START - 48 * 3_600_000)
  await before.close()
  const catalog = createCatalog({ path })
  const { scanner, client, time } = setStage({ catalog })
  t.strictSame(scanner.snapshot(WEB)?.tags, ['v1'])
  scanner.start()
  await catalog.load()
  await time.pass(30_000)
  t.strictSame(client.taken(), ['list web'])
  t.strictSame(scanner.snapshot(WEB)?.tags, ['v1', 'v2'])
  await scanner.stop()
  await catalog.close()
})

t.test('a tag that moved is noticed by the next scan', async (t) => {
  const { scanner, client, time } = setStage()
  scanner.start()
  await scanner.gather(listWeb, PATIENT)
  await scanner.gather(manifestOf('v1', true), PATIENT)
  await scanner.gather(manifestOf('v2'), PATIENT)
  client.taken()
  await time.pass(INTERVAL)
  t.strictSame(
    client.taken(),
    ['list web', 'head web:v1', 'head web:v2'],
    'platforms are not asked for where the digest is the same',
  )
  t.strictSame(scanner.snapshot(WEB)?.manifest('v1')?.platforms, ['linux/amd64'])
  client.repositories.get(WEB)?.set('v1', digest('9')).set('v2', digest('8'))
  await time.pass(INTERVAL)
  t.strictSame(client.taken(), ['list web', 'head web:v1', 'head web:v2', 'platforms web:v1'])
  t.match(scanner.snapshot(WEB)?.manifest('v1'), {
    digest: digest('9'),
    platforms: ['linux/amd64'],
  })
  t.match(scanner.snapshot(WEB)?.manifest('v2'), { digest: digest('8'), platforms: undefined })
  t.equal(scanner.snapshot(WEB)?.history('v1').length, 2)
  await scanner.stop()
})

t.test('of many known digests those in use are confirmed at every scan', async (t) => {
  const { scanner, client, time, catalog } = setStage()
  const tags = Array.from({ length: 300 }, (_, n) => `v${n}`)
  client.repositories.set(WEB, new Map(tags.map((tag) => [tag, digest('1')])))
  catalog.recordTags(WEB, tags, time.now)
  for (const tag of tags) {
    catalog.recordManifest(
      WEB,
      tag,
      { digest: digest('1'), mediaType: 'm', platforms: undefined },
      time.now,
    )
  }
  for (let round = 0; round < 3; round += 1) {
    time.now += INTERVAL
    scanner.snapshot(WEB)?.manifest('v299')
    await scanner.scanNow(WEB)
    const calls = client.taken()
    t.equal(calls.length, 1 + 1 + 10)
    t.equal(calls[1], 'head web:v299')
  }
  t.ok(client.mostActive <= 4, 'half of the room of the host')
  await scanner.stop()
})

t.test('a tag that is gone for good is not asked for at every scan', async (t) => {
  const { scanner, client, time } = setStage()
  await scanner.gather(listWeb, PATIENT)
  await scanner.gather(manifestOf('v1'), PATIENT)
  client.repositories.get(WEB)?.delete('v1')
  await time.pass(INTERVAL)
  client.taken()
  await scanner.scanNow(WEB)
  t.strictSame(client.taken(), ['list web', 'head web:v1'])
  await time.pass(INTERVAL)
  await scanner.scanNow(WEB)
  t.strictSame(client.taken(), ['list web'])
})

t.test('a push during a scan is followed by another scan; many pushes by one', async (t) => {
  const { scanner, client } = setStage()
  const running = scanner.scanNow(WEB)
  const pushes = Array.from({ length: 20 }, () => scanner.scanNow(WEB))
  await Promise.all([running, ...pushes])
  t.strictSame(client.taken(), ['list web', 'list web'])
})

t.test('a push is believed although the registry failed a moment ago', async (t) => {
  const { scanner, client } = setStage()
  client.failure = unreachable()
  t.match(await scanner.scanNow(WEB), { code: 'ERR_REGISTRY_UNREACHABLE' })
  client.failure = undefined
  t.equal(await scanner.scanNow(WEB), undefined)
  t.equal(await scanner.gather(listWeb, PATIENT), undefined, 'and clears what was remembered')
})

t.test(
  'a registry that fails is tried sooner than the interval, told of once, and its return',
  async (t) => {
    const { scanner, client, time, log } = setStage()
    scanner.start()
    await scanner.gather(listWeb, PATIENT)
    client.failure = unreachable()
    await time.pass(INTERVAL)
    t.match(scanner.snapshot(WEB)?.failure, { code: 'ERR_REGISTRY_UNREACHABLE' })
    t.strictSame(scanner.snapshot(WEB)?.tags, ['v1', 'v2'])
    client.taken()
    await time.pass(5_000 + 10_000 + 20_000)
    t.strictSame(client.taken(), ['list web', 'list web', 'list web'])
    client.failure = undefined
    await time.pass(40_000)
    t.equal(scanner.snapshot(WEB)?.failure, undefined)
    t.strictSame(log, [
      `warn ${WEB} cannot be scanned: registry.test refused the connection. Start it`,
      `info ${WEB} can be scanned again`,
    ])
    await scanner.stop()
  },
)

t.test('a name that the registry does not know is not scanned again and again', async (t) => {
  const { scanner, client, time } = setStage()
  scanner.start()
  const slip = { fact: 'repository', name: 'registry.test/acme/wbe' } as const
  t.match(await scanner.gather(slip, PATIENT), { code: 'ERR_REGISTRY_NOT_FOUND' })
  client.taken()
  await time.pass(10 * INTERVAL)
  t.strictSame(client.taken(), [])
  await scanner.stop()
})

t.test(
  'a list that could not be read in time at first use is read in the background',
  async (t) => {
    const { scanner, client, time } = setStage({ timeLimit: 15_000, scanTimeLimit: 120_000 })
    scanner.start()
    const list = client.listTags.bind(client)
    client.listTags = async (name, options) => {
      await new Promise<void>((resolve, reject) => {
        time.timer(resolve, 40_000)
        options.signal?.addEventListener('abort', () => reject(options.signal?.reason))
      })
      return list(name, options)
    }
    const first = scanner.gather(listWeb, PATIENT)
    await time.pass(15_000)
    t.match(await first, { code: 'ERR_REGISTRY_TIMEOUT' })
    await time.pass(15_000 + 40_000)
    t.strictSame(scanner.snapshot(WEB)?.tags, ['v1', 'v2'])
    await scanner.stop()
  },
)

t.test('a host that hangs does not hold up the scans of another', async (t) => {
  const { scanner, client, time } = setStage()
  const dead = Array.from({ length: 200 }, (_, n) => `dead.test/r${n}`)
  client.hanging = /dead/
  scanner.start()
  scanner.watch([...dead, WEB])
  await time.pass(30_000)
  t.ok(scanner.snapshot(WEB))
  t.equal(client.active, 4, 'and gets no more than half of its room')
  t.ok(time.pending <= 6, 'nor a timer for each that waits')
  await scanner.stop()
  t.equal(client.active, 0)
  t.equal(time.pending, 0)
})

t.test(
  'who waits for a list that stands in the queue of the background does not queue',
  async (t) => {
    const { scanner, client, time } = setStage()
    const many = Array.from({ length: 50 }, (_, n) => `registry.test/r${n}`)
    for (const name of many) client.repositories.set(name, new Map())
    client.hanging = true
    for (const name of [...many, WEB]) void scanner.scanNow(name)
    await time.pass(0)
    client.hanging = false
    t.equal(await scanner.gather(listWeb, PATIENT), undefined)
    t.equal(client.active, 4)
    await scanner.stop()
  },
)
