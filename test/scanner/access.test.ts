import t from 'tap'
import { createCatalog, repositoryKey } from '../../src/catalog/index.ts'
import type { RegistryAccess } from '../../src/registry/types.ts'
import { INTERVAL, listWeb, manifestOf, PATIENT, setStage, WEB } from './stage.ts'

/** Accesses that a test may change. */
function holding(...ids: string[]) {
  const held = new Map<string, RegistryAccess>()
  const put = (id: string, version = '1') => held.set(id, { id, version })
  for (const id of ids) put(id)
  return { held, put, access: (id: string) => held.get(id) }
}

const SHOP = 'shop/regcred'
const BANK = 'bank/regcred'
const SHOP_KEY = repositoryKey(WEB, SHOP)

t.test('each namespace sees what its own credentials have read', async (t) => {
  const accesses = holding(SHOP, BANK)
  const { client, scanner } = setStage(accesses)
  const [shop, bank, plain] = [SHOP, BANK, undefined].map((id) =>
    scanner.view(() => (id === undefined ? undefined : accesses.access(id))),
  )
  t.equal(await shop!.gather(listWeb, PATIENT), undefined)
  t.strictSame(shop!.snapshot(WEB)?.tags, ['v1', 'v2'])
  t.equal(shop!.snapshot(WEB)?.name, WEB)
  t.equal(bank!.snapshot(WEB), undefined)
  t.equal(plain!.snapshot(WEB), undefined)
  t.equal(scanner.snapshot(WEB), undefined)
  await Promise.all([bank!.gather(listWeb, PATIENT), plain!.gather(listWeb, PATIENT)])
  t.strictSame(client.taken(), [
    'list web (shop/regcred 1)',
    'list web (bank/regcred 1)',
    'list web',
  ])
})

t.test('what one namespace fails at is no failure of another', async (t) => {
  const accesses = holding(SHOP, BANK)
  const { client, scanner } = setStage(accesses)
  client.refused.add(SHOP)
  const shop = scanner.view(() => accesses.access(SHOP))
  const bank = scanner.view(() => accesses.access(BANK))
  t.match(await shop.gather(listWeb, PATIENT), { code: 'ERR_REGISTRY_UNAUTHORIZED' })
  t.equal(await bank.gather(listWeb, PATIENT), undefined)
  t.equal(bank.snapshot(WEB)?.failure, undefined)
  t.equal(shop.snapshot(WEB), undefined)
})

t.test('a rotated secret shows nothing until the registry has answered it', async (t) => {
  const accesses = holding(SHOP)
  const { client, scanner, time } = setStage(accesses)
  const shop = scanner.view(() => accesses.access(SHOP))
  await shop.gather(listWeb, PATIENT)
  await shop.gather(manifestOf('v1'), PATIENT)
  const first = shop.snapshot(WEB)?.firstSeen('v1')
  accesses.put(SHOP, '2')
  scanner.renew(SHOP)
  t.equal(shop.snapshot(WEB), undefined)
  client.refused.add(SHOP)
  t.match(await shop.gather(listWeb, PATIENT), { code: 'ERR_REGISTRY_UNAUTHORIZED' })
  t.equal(shop.snapshot(WEB), undefined)
  client.refused.clear()
  accesses.put(SHOP, '3')
  scanner.renew(SHOP)
  await time.pass(1)
  t.equal(await shop.gather(listWeb, PATIENT), undefined)
  t.equal(shop.snapshot(WEB)?.firstSeen('v1'), first, 'since when tags are known stays known')
  t.equal(shop.snapshot(WEB)?.manifest('v1')?.digest.slice(0, 8), 'sha256:1')
})

t.test('the one that scans on the clock asks with a rotated secret at once', async (t) => {
  const accesses = holding(SHOP)
  const { client, scanner, time } = setStage(accesses)
  scanner.start()
  const shop = scanner.view(() => accesses.access(SHOP))
  await shop.gather(listWeb, PATIENT)
  client.taken()
  accesses.put(SHOP, '2')
  scanner.renew(SHOP)
  await time.pass(0)
  t.strictSame(client.taken(), ['list web (shop/regcred 2)'])
  t.strictSame(shop.snapshot(WEB)?.tags, ['v1', 'v2'])
})

t.test('an answer to the old secret is not taken for one to the new', async (t) => {
  const accesses = holding(SHOP)
  const { client, scanner, time } = setStage(accesses)
  const shop = scanner.view(() => accesses.access(SHOP))
  client.gate = Promise.withResolvers<void>()
  const waiting = shop.gather(listWeb, PATIENT)
  await time.pass(0)
  accesses.put(SHOP, '2')
  client.refused.add(SHOP)
  client.gate.resolve()
  client.gate = undefined
  t.match(await waiting, { code: 'ERR_REGISTRY_UNAUTHORIZED' })
  t.strictSame(client.taken(), ['list web (shop/regcred 1)', 'list web (shop/regcred 2)'])
  t.equal(shop.snapshot(WEB), undefined)
})

t.test('a deleted secret takes what it has read along, its file too', async (t) => {
  const path = t.testdir()
  const accesses = holding(SHOP, BANK)
  const catalog = createCatalog({ path })
  const { scanner } = setStage({ ...accesses, catalog })
  const shop = scanner.view(() => accesses.access(SHOP))
  const bank = scanner.view(() => accesses.access(BANK))
  await shop.gather(listWeb, PATIENT)
  await bank.gather(listWeb, PATIENT)
  await catalog.flush()
  accesses.held.delete(SHOP)
  scanner.renew(SHOP)
  t.strictSame(catalog.keys(), [repositoryKey(WEB, BANK)])
  await catalog.close()
  const again = createCatalog({ path })
  await again.load()
  t.strictSame(again.keys(), [repositoryKey(WEB, BANK)])
  await again.close()
})

t.test('after a restart a file counts only for the version that has read it', async (t) => {
  const path = t.testdir()
  const accesses = holding(SHOP)
  const before = createCatalog({ path })
  await setStage({ ...accesses, catalog: before })
    .scanner.view(() => accesses.access(SHOP))
    .gather(listWeb, PATIENT)
  await before.close()
  const catalog = createCatalog({ path })
  const shop = setStage({ ...accesses, catalog }).scanner.view(() => accesses.access(SHOP))
  t.strictSame(shop.snapshot(WEB)?.tags, ['v1', 'v2'])
  accesses.put(SHOP, '2')
  t.equal(shop.snapshot(WEB), undefined)
  await catalog.close()
})

t.test('what was read by a Secret that went away during a restart is forgotten', async (t) => {
  const path = t.testdir()
  const before = holding(SHOP, BANK)
  const first = createCatalog({ path })
  const { scanner } = setStage({ ...before, catalog: first })
  for (const id of [SHOP, BANK]) {
    await scanner.view(() => before.access(id)).gather(listWeb, PATIENT)
  }
  await scanner.gather(listWeb, PATIENT)
  await first.close()
  const catalog = createCatalog({ path })
  await setStage({ ...holding(BANK), catalog }).scanner.prune()
  t.strictSame(catalog.keys().sort(), [WEB, repositoryKey(WEB, BANK)])
  await catalog.close()
})

t.test('an access that is gone asks nothing', async (t) => {
  const { client, scanner, log } = setStage({ access: () => undefined })
  const failure = await scanner.scanNow(SHOP_KEY)
  t.match(failure, { code: 'ERR_REGISTRY_UNAUTHORIZED', message: /as shop\/regcred/ })
  t.strictSame(client.taken(), [])
  t.match(log, [/warn registry.test\/acme\/web \(as shop\/regcred\) cannot be scanned/])
})

t.test('what an ImageRepository excludes is not indexed', async (t) => {
  const { client, catalog, scanner } = setStage()
  scanner.configure(WEB, { excludes: (tag) => tag === 'v1' })
  await scanner.gather(listWeb, PATIENT)
  t.strictSame(catalog.get(WEB)?.tags, ['v2'])
  client.taken()
  t.match(await scanner.gather(manifestOf('v1'), PATIENT), {
    code: 'ERR_REGISTRY_NOT_FOUND',
    message: /exclusionList/,
  })
  t.strictSame(client.taken(), [])
})

t.test('a repository has an interval of its own, and none while it is suspended', async (t) => {
  const { client, scanner, time } = setStage()
  scanner.start()
  scanner.watch([WEB])
  await time.pass(INTERVAL / 2)
  client.taken()
  scanner.configure(WEB, { interval: 60_000 })
  await time.pass(60_000)
  t.strictSame(client.taken(), ['list web'])
  await time.pass(60_000)
  t.strictSame(client.taken(), ['list web'])
  scanner.configure(WEB, { suspend: true })
  await time.pass(3 * INTERVAL)
  t.strictSame(client.taken(), [])
  t.equal(time.pending, 0, 'and no timer runs for it')
  t.strictSame(scanner.snapshot(WEB)?.tags, ['v1', 'v2'], 'what is known counts')
  scanner.configure(WEB, undefined)
  await time.pass(1)
  t.strictSame(client.taken(), ['list web'])
})

t.test('a scan ends by the timeout of its ImageRepository', async (t) => {
  const { client, scanner, time } = setStage()
  scanner.configure(WEB, { timeout: 5_000 })
  client.hanging = true
  const failure = scanner.scanNow(WEB)
  await time.pass(5_000)
  t.match(await failure, { code: 'ERR_REGISTRY_TIMEOUT', message: /within 5 s/ })
})

t.test('a follower answers at demand only, and a new leader repeats no scan', async (t) => {
  const { client, catalog, scanner, time } = setStage()
  scanner.setScheduled(false)
  scanner.start()
  scanner.watch([WEB])
  await time.pass(3 * INTERVAL)
  t.strictSame(client.taken(), [])
  t.equal(await scanner.gather(listWeb, PATIENT), undefined)
  t.strictSame(client.taken(), ['list web'])
  await time.pass(3 * INTERVAL)
  catalog.recordTags(WEB, ['v1'], time.now)
  scanner.setScheduled(true)
  await time.pass(INTERVAL / 2)
  t.strictSame(client.taken(), [])
  await time.pass(INTERVAL)
  t.strictSame(client.taken(), ['list web'])
  scanner.setScheduled(false)
  t.equal(time.pending, 0)
})

t.test('others are told of each scan and of each manifest that has changed', async (t) => {
  const { client, scanner } = setStage()
  const told: unknown[] = []
  const end = scanner.onScanned((key, snapshot, failure) => {
    told.push([key === WEB, snapshot?.tags.length, failure?.code])
  })
  await scanner.gather(listWeb, PATIENT)
  await scanner.gather(manifestOf('v1'), PATIENT)
  await scanner.gather(manifestOf('v1'), PATIENT)
  t.strictSame(told.splice(0), [
    [true, 2, undefined],
    [true, 2, undefined],
  ])
  client.failure = new Error('broken')
  await scanner.scanNow(WEB)
  t.strictSame(told.splice(0), [[true, 2, 'ERR_REGISTRY_RESPONSE']])
  end()
  await scanner.scanNow(WEB)
  t.strictSame(told, [])
})

t.test('one forgotten is gone from index and plans', async (t) => {
  const { client, catalog, scanner, time } = setStage()
  scanner.start()
  await scanner.gather(listWeb, PATIENT)
  client.taken()
  const forgotten: string[] = []
  const end = scanner.onForgotten((key) => void forgotten.push(key))
  scanner.forget(WEB)
  end()
  scanner.forget(WEB)
  t.strictSame(forgotten, [WEB], 'and those who listen are told')
  await time.pass(2 * INTERVAL)
  t.strictSame(client.taken(), [])
  t.strictSame(catalog.keys(), [])
})

t.test('a list that is being taken when the scanner stops is not taken', async (t) => {
  const { client, catalog, scanner } = setStage()
  client.repositories.set(
    WEB,
    new Map(Array.from({ length: 30_000 }, (_, i) => [`v${(i * 7919) % 30_000}`, 'x'])),
  )
  const taking = catalog.recordingTags
  const begun = Promise.withResolvers<void>()
  catalog.recordingTags = function* (...given) {
    begun.resolve()
    return yield* taking(...given)
  }
  const gathered = scanner.gather(listWeb, PATIENT)
  await begun.promise
  const stopped = scanner.stop()
  await Promise.all([gathered, stopped])
  t.equal(catalog.get(WEB), undefined)
})
