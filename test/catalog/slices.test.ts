import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { finish, type Work } from '../../src/pieces/index.ts'

const WEB = 'ghcr.io/acme/web'
const NOW = 1_800_000_000_000
const digest = (hex: string) => `sha256:${hex.repeat(64)}`
const manifest = (hex: string) => ({ digest: digest(hex), mediaType: 'm', platforms: undefined })

function tags(count: number, prefix = 'v'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${(i * 7919) % count}`)
}

/** Does so many steps of work, and tells whether it is over. */
function step<T>(work: Work<T>, count: number): boolean {
  for (let i = 0; i < count; i += 1) if (work.next().done) return true
  return false
}

t.test('a long list is taken in pieces, and nothing said meanwhile is lost', (t) => {
  const catalog = createCatalog()
  catalog.recordTags(WEB, tags(20_000), NOW)
  catalog.recordManifest(WEB, 'v1', manifest('a'), NOW + 1)
  const work = catalog.recordingTags(WEB, [...tags(20_000), 'v20000'], NOW + 10)
  t.notOk(step(work, 20))
  t.equal(catalog.get(WEB)?.tags.length, 20_000, 'until it is done, the list is the old one')
  catalog.recordManifest(WEB, 'v2', manifest('b'), NOW + 11)
  catalog.recordManifest(WEB, 'v1', manifest('c'), NOW + 12)
  const after = finish(work)
  t.equal(after, catalog.get(WEB))
  t.equal(after.tags.length, 20_001)
  t.strictSame(after.change?.added, ['v20000'])
  t.equal(after.firstSeen('v2'), NOW)
  t.equal(after.manifest('v2')?.digest, digest('b'))
  t.strictSame(
    after.history('v1').map(({ digest }) => digest),
    [digest('a'), digest('c')],
  )
  t.end()
})

t.test('a list that another one overtakes is compared with that one', (t) => {
  const catalog = createCatalog()
  catalog.recordTags(WEB, tags(20_000), NOW)
  const work = catalog.recordingTags(WEB, tags(20_000).slice(1), NOW + 10)
  t.notOk(step(work, 20))
  catalog.recordTags(WEB, [...tags(20_000), 'new'], NOW + 5)
  const after = finish(work)
  t.equal(after.tags.length, 19_999)
  t.equal(after.has('new'), false)
  t.equal(after.firstSeen('new'), NOW + 5, 'it is remembered as removed')
  t.end()
})

t.test('a shared index is taken in pieces, and nothing said meanwhile is lost', async (t) => {
  const leader = createCatalog()
  leader.recordTags(WEB, tags(20_000), NOW)
  leader.recordManifest(WEB, 'v1', manifest('a'), NOW + 1)
  const packed = await leader.pack(WEB)
  const catalog = createCatalog()
  catalog.recordTags(WEB, tags(20_000, 'w'), NOW - 10)
  const work = catalog.adopting(WEB, packed!, NOW)
  t.notOk(step(work, 40))
  catalog.recordManifest(WEB, 'v2', manifest('b'), NOW + 11)
  const after = finish(work)
  t.equal(after, catalog.get(WEB))
  t.strictSame(after.tags, leader.get(WEB)?.tags)
  t.strictSame(
    ['v1', 'v2'].map((tag) => after.manifest(tag)?.digest),
    [digest('a'), digest('b')],
  )
  t.equal(finish(catalog.adopting(WEB, packed!, NOW)), after, 'again, it adds nothing')
})

t.test('what is written in pieces is one JSON line, and is read again', async (t) => {
  const path = t.testdir()
  for (const count of [0, 1, 1_999, 2_000, 2_001, 6_000]) {
    const catalog = createCatalog({ path })
    const name = `ghcr.io/acme/r${count}`
    catalog.recordTags(name, tags(count), NOW)
    catalog.recordTags(name, tags(count).slice(count / 2), NOW + 1)
    catalog.recordManifest(name, 'v0', manifest('a'), NOW + 2)
    const before = catalog.get(name)
    await catalog.close()
    const again = createCatalog({ path })
    await again.load()
    const after = again.get(name)
    t.strictSame(after?.tags, before?.tags)
    t.equal(after?.revision, before?.revision)
    t.equal(after?.firstSeen('v0'), before?.firstSeen('v0'))
    const file = readdirSync(path).find((each) => each.startsWith(`ghcr.io_acme_r${count}-`))
    const lines = readFileSync(join(path, file ?? ''), 'utf8').split('\n')
    t.equal(lines.length, 3)
    t.strictSame(JSON.parse(lines[1] ?? '').tags, before?.tags)
    await again.close()
  }
})
