import t, { type Test } from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { createRegistryClient } from '../../src/registry/index.ts'
import { createScanner } from '../../src/scanner/index.ts'
import { type FakeRegistryOptions, startFakeRegistry } from '../fakes/registry.ts'

const PATIENT = new AbortController().signal

/** Scanner, client and index as they are used, before a registry that speaks HTTP. */
async function start(t: Test, options: FakeRegistryOptions = {}, timeLimit = 5_000) {
  const registry = await startFakeRegistry({
    repositories: { 'acme/web': ['v1.0.0', 'v1.1.0', 'latest'] },
    ...options,
  })
  // before the folder is made: tap takes it away after this only then
  t.teardown(async () => {
    await scanner.stop()
    await client.close()
    await catalog.close()
    await registry.close()
  })
  const client = createRegistryClient({ settings: [{ host: registry.host, insecure: true }] })
  const catalog = createCatalog({ path: t.testdir() })
  const scanner = createScanner({ catalog, client, interval: 60_000, timeLimit })
  const name = `${registry.host}/acme/web`
  const list = { fact: 'repository', name } as const
  const manifest = (tag: string) => ({ fact: 'manifest', name, tag, platforms: true }) as const
  return { registry, catalog, scanner, name, list, manifest }
}

t.test('tags over several pages, digests and platforms get into the index', async (t) => {
  const { registry, scanner, name, list, manifest } = await start(t, { pageSize: 2 })
  t.equal(await scanner.gather(list, PATIENT), undefined)
  t.strictSame(scanner.snapshot(name)?.tags, ['latest', 'v1.0.0', 'v1.1.0'])
  t.equal(await scanner.gather(manifest('v1.1.0'), PATIENT), undefined)
  t.match(scanner.snapshot(name)?.manifest('v1.1.0'), {
    digest: registry.digest('acme/web', 'v1.1.0'),
    platforms: ['linux/amd64', 'linux/arm64'],
  })
})

t.test('a pushed tag and a moved one are there after the scan that a push causes', async (t) => {
  const { registry, scanner, name, list, manifest } = await start(t)
  await scanner.gather(list, PATIENT)
  await scanner.gather(manifest('latest'), PATIENT)
  const before = scanner.snapshot(name)
  const old = registry.digest('acme/web', 'latest')
  registry.push('acme/web', 'v1.2.0')
  const moved = registry.push('acme/web', 'latest', 'another image')
  t.equal(await scanner.scanNow(name), undefined)
  const after = scanner.snapshot(name)
  t.strictSame(after?.change, { from: before?.tags, added: ['v1.2.0'], removed: [] })
  t.match(after?.manifest('latest'), { digest: moved, platforms: ['linux/amd64', 'linux/arm64'] })
  t.strictSame(
    after?.history('latest').map((seen) => seen.digest),
    [old, moved],
  )
  t.equal(before?.manifest('latest')?.digest, old)
})

t.test('a registry that hangs gets one request however many ask', async (t) => {
  const { registry, scanner, list } = await start(t, { faults: { hang: true } }, 2_000)
  const waits = Array.from({ length: 500 }, () => scanner.gather(list, AbortSignal.timeout(50)))
  const hurried = await Promise.all(waits)
  t.ok(hurried.every((failure) => failure?.code === 'ERR_REGISTRY_TIMEOUT'))
  t.match(await scanner.gather(list, PATIENT), { message: /did not answer within 2 s/ })
  t.match(await scanner.gather(list, PATIENT), { code: 'ERR_REGISTRY_TIMEOUT' })
  t.equal(registry.requests.length, 1)
})

t.test('a registry that fails after it was scanned costs no answer', async (t) => {
  const rows = [
    { statuses: [403] },
    { html: true },
    { brokenJson: true },
    { link: '<http://127.0.0.1:1/v2/>; rel="next"' },
  ]
  for (const faults of rows) {
    await t.test(Object.keys(faults).join(), async (t) => {
      const { registry, scanner, name, list } = await start(t)
      await scanner.gather(list, PATIENT)
      registry.faults = faults
      const failure = await scanner.gather(list, PATIENT)
      t.match(failure, { code: /^ERR_REGISTRY_/ })
      t.strictSame(scanner.snapshot(name)?.failure, failure)
      t.equal(scanner.snapshot(name)?.tags.length, 3)
      registry.faults = {}
      t.equal(await scanner.scanNow(name), undefined)
      t.equal(scanner.snapshot(name)?.failure, undefined)
    })
  }
})

t.test('a registry that is gone is a failure with its host, never a rejection', async (t) => {
  const { scanner, list, manifest, registry } = await start(t)
  registry.faults = { resets: 1000 }
  t.match(await scanner.gather(list, PATIENT), {
    code: 'ERR_REGISTRY_UNREACHABLE',
    message: registry.host,
  })
  t.match(await scanner.gather(manifest('v1.0.0'), PATIENT), { code: 'ERR_REGISTRY_UNREACHABLE' })
})

t.test('a tag or repository that is not there is said to be so', async (t) => {
  const { scanner, registry, manifest } = await start(t)
  t.match(await scanner.gather(manifest('v9'), PATIENT), { code: 'ERR_REGISTRY_NOT_FOUND' })
  const nowhere = { fact: 'repository', name: `${registry.host}/acme/nowhere` } as const
  t.match(await scanner.gather(nowhere, PATIENT), { code: 'ERR_REGISTRY_NOT_FOUND' })
})
