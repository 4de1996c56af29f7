import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { type Catalog, createCatalog } from '../../src/catalog/index.ts'
import { rankingOf } from '../../src/decisions/index.ts'
import type { TagwardenError } from '../../src/errors.ts'
import { policy } from '../fakes/facts.ts'
import { type Event, events, TAGS, viewOf } from './model.ts'

const NAME = 'registry.test/acme/web'
const NOW = 1_000_000
const A = `sha256:${'a'.repeat(64)}`
const B = `sha256:${'b'.repeat(64)}`

/** An index that met these events, the first at `from`, each `step` later. */
function indexOf(list: readonly Event[], from = 1, step = 1): Catalog {
  const catalog = createCatalog()
  for (const [index, event] of list.entries()) {
    const at = from + index * step
    if ('tags' in event) catalog.recordTags(NAME, event.tags, at)
    else if ('digest' in event) {
      catalog.recordManifest(NAME, event.tag, { ...event, mediaType: 'm' }, at)
    } else if ('missing' in event) catalog.recordMissing(NAME, event.missing, at)
  }
  return catalog
}

function view(catalog: Catalog): string {
  const snapshot = catalog.get(NAME)
  return snapshot ? viewOf(snapshot) : 'nothing'
}

/** What each of some indexes adopts is what the others hold, in the order in which they stand. */
async function adopt(into: Catalog, ...others: Catalog[]): Promise<Catalog> {
  for (const other of others) {
    const packed = await other.pack(NAME)
    if (packed) into.adopt(NAME, packed, NOW)
  }
  return into
}

t.test('a fresh replica knows all that the one knew from which it adopts', async (t) => {
  await fc.assert(
    fc.asyncProperty(events, async (list) => {
      const source = indexOf(list)
      const fresh = await adopt(createCatalog(), source)
      return view(fresh) === view(source)
    }),
  )
  t.pass('whatever that was')
})

t.test('adopting what one knows already changes nothing, not even the snapshot', async (t) => {
  await fc.assert(
    fc.asyncProperty(events, events, async (list, other) => {
      const index = await adopt(indexOf(list), indexOf(other, 2, 2))
      const before = index.get(NAME)
      await adopt(index, index, indexOf(other, 2, 2), indexOf(list))
      return index.get(NAME) === before
    }),
  )
  t.pass('for every two histories')
})

t.test('two replicas that adopt from each other agree', async (t) => {
  await fc.assert(
    fc.asyncProperty(events, events, async (list, other) => {
      const one = await adopt(indexOf(list), indexOf(other, 2, 2))
      const two = await adopt(indexOf(other, 2, 2), indexOf(list))
      return view(one) === view(two) && one.get(NAME)?.revision === two.get(NAME)?.revision
    }),
    { numRuns: 300 },
  )
  t.pass('for every two histories')
})

t.test('nothing is lost: no digest, no first time, no later word', async (t) => {
  await fc.assert(
    fc.asyncProperty(events, events, async (list, other) => {
      const sources = [indexOf(list), indexOf(other, 2, 2)]
      const both = (await adopt(createCatalog(), ...sources)).get(NAME)
      for (const snapshot of sources.map((source) => source.get(NAME))) {
        if (!snapshot) continue
        if (!both || both.scannedAt < snapshot.scannedAt) return false
        for (const tag of TAGS) {
          const digests = both.history(tag).map(({ digest }) => digest)
          const first = snapshot.firstSeen(tag)
          const known = snapshot.manifest(tag)
          if (!snapshot.history(tag).every(({ digest }) => digests.includes(digest))) return false
          if (first !== undefined && !((both.firstSeen(tag) ?? NOW) <= first)) return false
          const now = both.manifest(tag)
          if (known && now && now.checkedAt < known.checkedAt) return false
          if (now && digests.at(-1) !== now.digest) return false
        }
      }
      return true
    }),
    { numRuns: 300 },
  )
  t.pass('for every two histories')
})

t.test('the newer list of tags wins, and says what changed', async (t) => {
  const mine = indexOf([{ tags: ['v1', 'v2', 'v3'] }], 100)
  const before = mine.get(NAME)
  await adopt(mine, indexOf([{ tags: ['v1', 'v3', 'v4'] }], 300))
  const after = mine.get(NAME)
  t.strictSame(after?.tags, ['v1', 'v3', 'v4'])
  t.equal(after?.scannedAt, 300)
  t.strictSame(after?.change?.added, ['v4'])
  t.strictSame(after?.change?.removed, ['v2'])
  t.equal(after?.change?.from, before?.tags, 'rankings are made from those of the old list')
  t.strictSame(
    ['v1', 'v2', 'v4'].map((tag) => after?.firstSeen(tag)),
    [100, 100, 300],
  )
  await adopt(mine, indexOf([{ tags: ['old'] }], 200))
  t.strictSame(mine.get(NAME)?.tags, ['v1', 'v3', 'v4'], 'an older one does not')
  t.equal(mine.get(NAME)?.firstSeen('old'), 200, 'but what it saw is remembered')
})

t.test('an equal list keeps its rankings', async (t) => {
  const mine = indexOf([{ tags: ['v1.2.3', 'v1.3.0'] }], 100)
  const { selector } = policy()
  const ranking = rankingOf(selector, mine.get(NAME)!)
  await adopt(mine, indexOf([{ tags: ['v1.3.0', 'v1.2.3'] }], 300))
  t.equal(mine.get(NAME)?.scannedAt, 300)
  t.equal(rankingOf(selector, mine.get(NAME)!), ranking)
})

t.test('what this process confirmed later stays, what it asked is not asked twice', async (t) => {
  const manifest = (tag: string, digest: string) => ({ tag, digest, platforms: ['linux/amd64'] })
  const mine = indexOf([manifest('v1', B), manifest('v2', A)], 500)
  mine.get(NAME)?.manifest('v1')
  mine.get(NAME)?.manifest('v2')
  await adopt(mine, indexOf([manifest('v1', A)], 100), indexOf([manifest('v2', A)], 900))
  const snapshot = mine.get(NAME)
  const asked = mine.known(NAME).filter((known) => known.asked)
  t.strictSame(
    asked.map(({ tag }) => tag),
    ['v1'],
  )
  t.equal(snapshot?.manifest('v1')?.digest, B)
  t.strictSame(snapshot?.history('v1'), [
    { digest: A, firstSeen: 100 },
    { digest: B, firstSeen: 500 },
  ])
  t.equal(snapshot?.manifest('v2')?.checkedAt, 900)
})

t.test('a tag that the registry denied later is not brought back', async (t) => {
  const there: Event = { tag: 'v1', digest: A, platforms: undefined }
  const mine = indexOf([there, { missing: 'v1' }], 100, 100)
  await adopt(mine, indexOf([there], 150))
  t.equal(mine.get(NAME)?.manifest('v1'), undefined)
  const fresh = await adopt(createCatalog(), indexOf([there], 150), mine)
  t.equal(fresh.get(NAME)?.manifest('v1'), undefined, 'nor is it elsewhere')
  await adopt(mine, indexOf([there], 300))
  t.equal(mine.get(NAME)?.manifest('v1')?.digest, A, 'unless it was seen after that')
})

t.test(
  'what a leader reads counts, though the one before had a clock that was ahead',
  async (t) => {
    const there = (tag: string, digest: string): Event => ({ tag, digest, platforms: undefined })
    const ahead = indexOf([{ tags: ['v1', 'v2'] }, there('v1', A), there('v2', A)], 600_000)
    const leader = await adopt(createCatalog(), ahead)
    const follower = await adopt(createCatalog(), ahead)
    leader.recordTags(NAME, ['v1', 'v3'], 5_000)
    leader.recordManifest(NAME, 'v1', { digest: B, mediaType: 'm', platforms: undefined }, 5_000)
    leader.recordMissing(NAME, 'v2', 5_000)
    for (const replica of [ahead, follower]) {
      await adopt(replica, leader)
      const snapshot = replica.get(NAME)
      t.strictSame(snapshot?.tags, ['v1', 'v3'])
      t.equal(snapshot?.manifest('v1')?.digest, B)
      t.equal(snapshot?.manifest('v2'), undefined)
      t.equal(snapshot?.firstSeen('v3'), 5_000)
      t.equal(view(replica), view(leader))
    }
    await adopt(leader, ahead, follower)
    t.strictSame(leader.get(NAME)?.tags, ['v1', 'v3'], 'and it keeps that')
  },
)

t.test('a failure ends with a scan that is newer, wherever that was made', async (t) => {
  const mine = indexOf([{ tags: ['v1'] }], 100)
  mine.recordFailure(NAME, { code: 'ERR_REGISTRY_TIMEOUT', message: 'slow', at: 200 })
  await adopt(mine, indexOf([{ tags: ['v1'] }], 150))
  t.equal(mine.get(NAME)?.failure?.message, 'slow')
  await adopt(mine, indexOf([{ tags: ['v1'] }], 250))
  t.equal(mine.get(NAME)?.failure, undefined)
})

t.test('what was adopted is on disk too', async (t) => {
  const path = join(t.testdir(), 'catalog')
  const index = createCatalog({ path })
  await adopt(index, indexOf([{ tags: ['v1'] }], 100))
  await index.close()
  t.equal(readdirSync(path).length, 1)
  t.strictSame(createCatalog({ path }).get(NAME)?.tags, ['v1'])
})

t.test('of an unknown repository there is nothing to pack', async (t) => {
  t.equal(await createCatalog().pack(NAME), undefined)
})

t.test('what is forged or damaged is left out, and costs nothing that was known', async (t) => {
  const mine = indexOf([{ tags: ['v1'] }], 100)
  const before = mine.get(NAME)
  const good = gunzipSync(
    (await indexOf([{ tags: ['v1', 'v2'] }, { tag: 'v1', digest: A, platforms: undefined }]).pack(
      NAME,
    ))!,
  ).toString()
  const forge = (
    change: (body: Record<string, unknown>, head: Record<string, unknown>) => void,
  ) => {
    const [head, body] = good
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    change(body, head)
    const text = `${JSON.stringify(body)}\n`
    head.sha256 = createHash('sha256').update(text).digest('hex')
    return gzipSync(`${JSON.stringify(head)}\n${text}`)
  }
  const rows: [what: string, packed: Uint8Array, says: RegExp][] = [
    ['nothing', Buffer.alloc(0), /it is damaged/],
    ['no gzip', Buffer.from('hello'), /it is damaged/],
    ['half of it', gzipSync(good).subarray(0, 40), /it is damaged/],
    ['a bomb', gzipSync(Buffer.alloc(40 * 1024 * 1024)), /unpacks to more than 33554432 bytes/],
    ['text', gzipSync('hello'), /its first line is no JSON object/],
    ['another body', gzipSync(good.replace('"v2"', '"v3"')), /its checksum does not fit/],
    [
      'another repository',
      forge((_, head) => Object.assign(head, { name: 'registry.test/evil' })),
      /it belongs to another repository/,
    ],
    ['the future', forge((body) => Object.assign(body, { scannedAt: 9e12 })), /in the future/],
    [
      'a manifest of the future',
      forge((body) => Object.assign(body, { records: [['v1', [A, null, 9e12], [[A, 1]]]] })),
      /in the future/,
    ],
    [
      'a digest of the future',
      forge((body) => Object.assign(body, { records: [['v1', [A, null, 1], [[A, 9e12]]]] })),
      /in the future/,
    ],
    ['no tag', forge((body) => Object.assign(body, { tags: ['v1', 'v2 x'] })), /a tag is wrong/],
    [
      'no digest',
      forge((body) => Object.assign(body, { records: [['v1', ['x', null, 1], [[A, 1]]]] })),
      /a digest is wrong/,
    ],
    ['no removed tag', forge((body) => Object.assign(body, { removed: [['', 1, 1]] })), /a tag is/],
    ['null', forge((body) => Object.assign(body, { records: null })), /it lacks a part/],
  ]
  for (const [what, packed, says] of rows) {
    try {
      mine.adopt(NAME, packed, NOW)
      t.fail(`${what} is adopted`)
    } catch (error) {
      t.equal((error as TagwardenError).code, 'ERR_CATALOG', what)
      t.match((error as Error).message, says)
      t.match((error as Error).message, `the shared index of ${NAME} is left out: `)
    }
    t.equal(mine.get(NAME), before)
  }
})
