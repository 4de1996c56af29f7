import t from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { HISTORY_SIZE } from '../../src/catalog/manifest_records.ts'
import { REMOVED_AGE, REMOVED_SIZE } from '../../src/catalog/scan.ts'

const NAME = 'registry.test/acme/web'
const A = `sha256:${'a'.repeat(64)}`
const B = `sha256:${'b'.repeat(64)}`

function manifest(digest: string, platforms?: string[]) {
  return { digest, mediaType: 'application/vnd.oci.image.index.v1+json', platforms }
}

t.test('nothing is known of a repository that was never recorded', async (t) => {
  const catalog = createCatalog()
  t.equal(catalog.get(NAME), undefined)
  t.strictSame(catalog.keys(), [])
  t.strictSame(catalog.known(NAME), [])
})

t.test('a scan gives tags in byte order, with the time they were first seen', async (t) => {
  const catalog = createCatalog()
  const snapshot = catalog.recordTags(NAME, ['v2', 'v1', 'v1'], 100)
  t.equal(catalog.get(NAME), snapshot)
  t.strictSame(snapshot.tags, ['v1', 'v2'])
  t.equal(snapshot.scannedAt, 100)
  t.equal(snapshot.change, undefined, 'the first list was made from none')
  t.equal(snapshot.has('v1'), true)
  t.equal(snapshot.has('v3'), false)
  t.equal(snapshot.firstSeen('v1'), 100)
  t.equal(snapshot.firstSeen('v3'), undefined)
  t.match(snapshot.revision, /^[0-9a-f]{16}$/)
})

t.test(
  'a scan that finds the same keeps the list itself, so that rankings stay good',
  async (t) => {
    const catalog = createCatalog()
    const first = catalog.recordTags(NAME, ['v1', 'v2'], 100)
    const second = catalog.recordTags(NAME, ['v2', 'v1'], 200)
    t.equal(second.tags, first.tags)
    t.equal(second.revision, first.revision)
    t.equal(second.scannedAt, 200)
    t.equal(first.scannedAt, 100, 'who holds the old snapshot sees the old time')
  },
)

t.test('a scan that finds a change says what changed', async (t) => {
  const catalog = createCatalog()
  const first = catalog.recordTags(NAME, ['v1', 'v2'], 100)
  const second = catalog.recordTags(NAME, ['v2', 'v3'], 200)
  t.equal(second.change?.from, first.tags)
  t.strictSame(second.change?.added, ['v3'])
  t.strictSame(second.change?.removed, ['v1'])
  t.not(second.revision, first.revision)
  const known = catalog.recordManifest(NAME, 'v2', manifest(A), 250)
  t.equal(known.change, second.change, 'the list is still made from the same other one')
  t.equal(
    catalog.recordTags(NAME, ['v2', 'v3'], 300).change,
    undefined,
    'an interval later it is let go',
  )
})

t.test('a tag that comes back was first seen when it was first seen', async (t) => {
  const catalog = createCatalog()
  catalog.recordTags(NAME, ['v1', 'v2'], 100)
  const without = catalog.recordTags(NAME, ['v2'], 200)
  t.equal(without.has('v1'), false)
  t.equal(without.firstSeen('v1'), 100)
  const back = catalog.recordTags(NAME, ['v1', 'v2'], 300)
  t.equal(back.firstSeen('v1'), 100)
  t.equal(back.revision, catalog.recordTags(NAME, ['v1', 'v2'], 400).revision)
})

t.test('a registry that lists nothing for once loses no time of any tag', async (t) => {
  const catalog = createCatalog()
  const tags = Array.from({ length: 3 * REMOVED_SIZE }, (_, n) => `v${n}`)
  catalog.recordTags(NAME, tags, 100)
  const empty = catalog.recordTags(NAME, [], 200)
  t.strictSame(empty.tags, [])
  t.equal(empty.scannedAt, 200)
  t.equal(empty.change?.removed.length, tags.length)
  const half = catalog.recordTags(NAME, tags.slice(0, REMOVED_SIZE * 2), 300)
  t.ok(half.tags.every((tag) => half.firstSeen(tag) === 100))
  const all = catalog.recordTags(NAME, tags, 400)
  t.ok(all.tags.every((tag) => all.firstSeen(tag) === 100))
})

t.test(
  'removed tags are forgotten: the oldest when there are many, all after 90 days',
  async (t) => {
    const catalog = createCatalog()
    const many = Array.from({ length: REMOVED_SIZE + 500 }, (_, n) => `v${n}`)
    catalog.recordTags(NAME, ['kept', 'pinned', ...many], 100)
    catalog.recordManifest(NAME, 'pinned', manifest(A), 101)
    catalog.recordTags(NAME, ['kept', ...many], 150)
    catalog.recordTags(NAME, ['kept'], 200)
    const later = catalog.recordTags(NAME, ['kept', 'new'], 300)
    catalog.recordTags(NAME, ['kept'], 400)
    const gone = catalog.get(NAME)
    t.ok(many.filter((tag) => gone?.firstSeen(tag) === 100).length <= REMOVED_SIZE)
    t.equal(gone?.firstSeen('new'), 300, 'what was removed last is still known')
    t.equal(gone?.firstSeen('pinned'), 100, 'what has a known digest is still known')
    t.strictSame(later.tagsOf(A), ['pinned'])
    const old = catalog.recordTags(NAME, [], 401 + REMOVED_AGE)
    t.equal(old.firstSeen('new'), undefined)
    t.equal(old.firstSeen('kept'), 100)
    t.strictSame(old.tagsOf(A), [])
  },
)

t.test('a manifest is known once it is recorded, also of a tag that is not listed', async (t) => {
  const catalog = createCatalog()
  const unlisted = catalog.recordManifest(NAME, 'v1', manifest(A, ['linux/amd64']), 100)
  t.equal(unlisted.scannedAt, 0, 'the tags were never listed')
  t.equal(unlisted.has('v1'), false)
  t.strictSame(unlisted.manifest('v1'), { digest: A, platforms: ['linux/amd64'], checkedAt: 100 })
  t.equal(unlisted.firstSeen('v1'), 100)
  const listed = catalog.recordTags(NAME, ['v1', 'v2'], 200)
  t.equal(listed.firstSeen('v1'), 100, 'it was first seen by its manifest')
  t.equal(listed.firstSeen('v2'), 200)
  t.equal(listed.manifest('v1')?.checkedAt, 100)
  t.equal(listed.manifest('v2'), undefined)
})

t.test('confirming a digest keeps platforms that were asked for once', async (t) => {
  const catalog = createCatalog()
  const first = catalog.recordManifest(NAME, 'v1', manifest(A, ['linux/amd64']), 100)
  const again = catalog.recordManifest(NAME, 'v1', manifest(A), 200)
  t.strictSame(again.manifest('v1'), { digest: A, platforms: ['linux/amd64'], checkedAt: 200 })
  t.equal(again.revision, first.revision, 'nothing changed')
  t.equal(again.history('v1').length, 1)
  const moved = catalog.recordManifest(NAME, 'v1', manifest(B), 300)
  t.equal(moved.manifest('v1')?.platforms, undefined, 'another digest, other platforms')
  t.not(moved.revision, first.revision)
})

t.test('a tag that moves leaves a history, and moves back as one more step', async (t) => {
  const catalog = createCatalog()
  const empty = catalog.recordTags(NAME, ['v1', 'v2'], 50)
  catalog.recordManifest(NAME, 'v1', manifest(A), 100)
  const before = catalog.recordManifest(NAME, 'v2', manifest(A), 110)
  catalog.recordManifest(NAME, 'v1', manifest(B), 200)
  const back = catalog.recordManifest(NAME, 'v1', manifest(A), 300)
  t.strictSame(back.history('v1'), [
    { digest: A, firstSeen: 100 },
    { digest: B, firstSeen: 200 },
    { digest: A, firstSeen: 300 },
  ])
  t.strictSame(back.tagsOf(A), ['v1', 'v2'])
  t.strictSame(back.tagsOf(B), ['v1'], 'it had that digest')
  t.strictSame(back.tagsOf('sha256:0'), [])
  t.equal(back.revision, before.revision, 'the same content has the same revision')
  t.strictSame(empty.history('v1'), [])
  t.strictSame(before.tagsOf(B), [])
})

t.test('history is bounded, and the first digest is never lost', async (t) => {
  const catalog = createCatalog()
  const digest = (n: number) => `sha256:${String(n).padStart(64, '0')}`
  for (let n = 0; n < HISTORY_SIZE + 20; n += 1) {
    catalog.recordManifest(NAME, 'main', manifest(digest(n)), 100 + n)
  }
  const snapshot = catalog.get(NAME)
  const history = snapshot?.history('main') ?? []
  t.equal(history.length, HISTORY_SIZE)
  t.equal(history[0]?.digest, digest(0))
  t.equal(history[1]?.digest, digest(21))
  t.equal(history.at(-1)?.digest, snapshot?.manifest('main')?.digest)
  t.strictSame(snapshot?.tagsOf(digest(0)), ['main'])
  t.strictSame(snapshot?.tagsOf(digest(5)), [])
})

t.test('a tag that the registry denies has no manifest, but keeps its history', async (t) => {
  const catalog = createCatalog()
  catalog.recordMissing(NAME, 'v1', 50)
  t.equal(catalog.get(NAME), undefined, 'nothing is noted of an unknown repository')
  const before = catalog.recordManifest(NAME, 'v1', manifest(A), 100)
  catalog.recordMissing(NAME, 'v1', 150)
  const after = catalog.get(NAME)
  t.equal(after?.manifest('v1'), undefined)
  t.strictSame(after?.tagsOf(A), ['v1'])
  t.not(after?.revision, before.revision)
  t.equal(before.manifest('v1')?.digest, A, 'who holds the old snapshot sees the old manifest')
  const back = catalog.recordManifest(NAME, 'v1', manifest(A), 200)
  t.equal(back.revision, before.revision)
  t.equal(back.history('v1').length, 1)
})

t.test('a failed scan is noted and costs no fact; the next good one clears it', async (t) => {
  const catalog = createCatalog()
  const failure = { code: 'ERR_REGISTRY_TIMEOUT', message: 'slow', at: 150 } as const
  catalog.recordFailure(NAME, failure)
  t.equal(catalog.get(NAME), undefined, 'nothing is noted of an unknown repository')
  const before = catalog.recordTags(NAME, ['v1'], 100)
  catalog.recordFailure(NAME, failure)
  const failing = catalog.get(NAME)
  t.strictSame(failing?.failure, failure)
  t.equal(failing?.tags, before.tags)
  t.equal(failing?.scannedAt, 100)
  t.equal(failing?.revision, before.revision)
  t.strictSame(catalog.recordManifest(NAME, 'v1', manifest(A), 160).failure, failure)
  t.equal(catalog.recordTags(NAME, ['v1'], 200).failure, undefined)
})

t.test('what was looked at since it was confirmed is marked', async (t) => {
  const catalog = createCatalog()
  const asked = () => catalog.known(NAME).filter((one) => one.asked)
  catalog.recordManifest(NAME, 'v1', manifest(A, ['linux/amd64']), 100)
  const snapshot = catalog.recordManifest(NAME, 'v2', manifest(B), 110)
  t.strictSame(asked(), [])
  t.equal(snapshot.manifest('v3'), undefined)
  snapshot.manifest('v1')
  t.strictSame(asked(), [{ tag: 'v1', checkedAt: 100, platforms: true, asked: true }])
  catalog.recordManifest(NAME, 'v1', manifest(A), 200)
  t.strictSame(asked(), [])
  catalog.recordMissing(NAME, 'v2', 300)
  t.strictSame(
    catalog.known(NAME).map((one) => one.tag),
    ['v1'],
  )
})

t.test('a snapshot can not be changed by who reads it', async (t) => {
  const catalog = createCatalog()
  catalog.recordTags(NAME, ['v1'], 100)
  const snapshot = catalog.recordManifest(NAME, 'v1', manifest(A, ['linux/amd64']), 100)
  const parts = [
    snapshot,
    snapshot.tags,
    snapshot.manifest('v1'),
    snapshot.manifest('v1')?.platforms,
    snapshot.history('v1'),
    snapshot.history('v1')[0],
    snapshot.tagsOf(A),
  ]
  for (const part of parts) t.ok(Object.isFrozen(part))
})

t.test('hostile names and tags are only names and tags', async (t) => {
  const catalog = createCatalog()
  const names = ['', '__proto__', 'constructor', '../../etc/passwd', 'a\0b', '🦊', 'x'.repeat(300)]
  for (const [at, name] of names.entries()) {
    catalog.recordTags(name, ['__proto__', 'constructor'], at + 1)
    catalog.recordManifest(name, '__proto__', manifest(A), at + 1)
  }
  t.strictSame(catalog.keys(), names)
  for (const [at, name] of names.entries()) {
    const snapshot = catalog.get(name)
    t.equal(snapshot?.scannedAt, at + 1)
    t.equal(snapshot?.manifest('__proto__')?.digest, A)
    t.equal(snapshot?.manifest('toString'), undefined)
    t.equal(snapshot?.has('hasOwnProperty'), false)
    t.strictSame(snapshot?.tagsOf('__proto__'), [])
  }
})
