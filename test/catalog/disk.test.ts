import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { describeError, type TagwardenError } from '../../src/errors.ts'

const NAME = 'registry.test/acme/web'
const A = `sha256:${'a'.repeat(64)}`

function open(path: string) {
  const problems: TagwardenError[] = []
  const catalog = createCatalog({ path, onProblem: (problem) => problems.push(problem) })
  return { catalog, problems }
}

/** An index with one repository on disk. */
async function stored(t: Test, name = NAME) {
  const path = join(t.testdir(), 'catalog')
  const { catalog } = open(path)
  catalog.recordTags(name, ['v1', 'v2'], 100)
  catalog.recordManifest(name, 'v1', { digest: A, mediaType: 'm', platforms: ['linux/arm64'] }, 200)
  await catalog.close()
  const file = join(path, readdirSync(path)[0] ?? '')
  return { path, file, content: readFileSync(file) }
}

t.test('a repository is one file that only its owner can read', async (t) => {
  const { path, file, content } = await stored(t)
  t.strictSame(readdirSync(path), [basename(file)], 'and nothing else is left')
  t.match(basename(file), /^registry\.test_acme_web-[0-9a-f]{32}\.json$/)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(statSync(path).mode & 0o777, 0o700)
  const [head = '', body = '', rest] = content.toString().split('\n')
  t.match(JSON.parse(head), { format: 'tagwarden-index', version: 1, name: NAME })
  t.strictSame(JSON.parse(body).tags, ['v1', 'v2'])
  t.equal(rest, '')
})

t.test('a restart answers at once, and knows all names once it has loaded', async (t) => {
  const { path } = await stored(t)
  const { catalog, problems } = open(path)
  t.strictSame(catalog.keys(), [], 'nothing was read yet')
  const snapshot = catalog.get(NAME)
  t.strictSame(snapshot?.tags, ['v1', 'v2'])
  t.strictSame(snapshot?.manifest('v1')?.platforms, ['linux/arm64'])
  await catalog.load()
  t.equal(catalog.get(NAME), snapshot, 'what was read is not read again')
  t.strictSame(catalog.keys(), [NAME])
  t.strictSame(problems, [])
})

t.test('what is recorded before the file was read is added to what the file says', async (t) => {
  const { path } = await stored(t)
  const { catalog } = open(path)
  const snapshot = catalog.recordTags(NAME, ['v1', 'v2', 'v3'], 900)
  t.equal(snapshot.firstSeen('v1'), 100)
  t.strictSame(snapshot.change?.added, ['v3'])
  await catalog.load()
  t.equal(catalog.get(NAME), snapshot, 'loading does not bring the old one back')
  await catalog.close()
})

t.test('names that would lead out of the folder do not', async (t) => {
  const names = ['../../etc/passwd', '..', '.', '/', '', 'a\0b', '🦊', 'x'.repeat(300), '__proto__']
  const path = join(t.testdir({ outside: {} }), 'catalog')
  const { catalog, problems } = open(path)
  for (const name of names) catalog.recordTags(name, ['v1'], 100)
  catalog.recordTags('A/b', ['upper'], 100)
  catalog.recordTags('a/b', ['lower'], 100)
  await catalog.close()
  t.equal(readdirSync(path).length, names.length + 2)
  t.strictSame(readdirSync(join(path, '..')).sort(), ['catalog', 'outside'])
  const again = open(path)
  await again.catalog.load()
  t.strictSame(again.catalog.keys().toSorted(), [...names, 'A/b', 'a/b'].toSorted())
  t.strictSame(again.catalog.get('A/b')?.tags, ['upper'])
  t.strictSame([...problems, ...again.problems], [])
})

t.test('no changed byte goes unnoticed', async (t) => {
  const { path, file, content } = await stored(t)
  for (let at = 0; at < content.length; at += 1) {
    const damaged = Buffer.from(content)
    damaged[at] = damaged[at]! ^ (1 << (at % 8))
    writeFileSync(file, damaged)
    const { catalog, problems } = open(path)
    const snapshot = catalog.get(NAME)
    if (snapshot || problems.length !== 1) t.fail(`byte ${at} was changed and nobody noticed`)
  }
  t.pass('for each of its bytes')
})

t.test('a damaged file is set aside, told of, and built anew by the next scan', async (t) => {
  const { path, file, content } = await stored(t)
  const text = content.toString()
  const [head = '', body = ''] = text.split('\n')
  const rows: [what: string, content: string | Buffer, says: string][] = [
    ['empty', '', 'its first line is no JSON object'],
    ['one line', head, 'its first line is no JSON object'],
    ['cut in the second line', text.slice(0, -10), 'its checksum does not fit'],
    ['with more behind it', `${text}{}\n`, 'its checksum does not fit'],
    ['binary', Buffer.alloc(100_000, 0xff), 'its first line is no JSON object'],
    ['zeros', Buffer.alloc(4096), 'its first line is no JSON object'],
    ['a page', '<!doctype html>\n<html></html>\n', 'its first line is no JSON object'],
    ['another program', `{"format":"other"}\n${body}\n`, 'it is not a file of the index'],
    ['a list', `[]\n${body}\n`, 'it is not a file of the index'],
    ['null', `null\n${body}\n`, 'its first line is no JSON object'],
    ['a later version', text.replace('"version":1', '"version":2'), 'its version is not 1'],
    [
      'another repository',
      text.replace('acme/web', 'evil/web'),
      'it belongs to another repository',
    ],
    ['deep', `${'['.repeat(100_000)}\n`, 'its first line is no JSON object'],
  ]
  for (const [what, damaged, says] of rows) {
    writeFileSync(file, damaged)
    const { catalog, problems } = open(path)
    t.equal(catalog.get(NAME), undefined, what)
    t.equal(catalog.get(NAME), undefined, 'asking again does not read it again')
    t.equal(problems.length, 1)
    t.equal(problems[0]?.code, 'ERR_CATALOG')
    t.match(
      describeError(problems[0]),
      `${file} is left out: ${says}. The next scan builds it anew`,
    )
    t.equal(existsSync(file), false)
    t.ok(readFileSync(`${file}.damaged`).equals(Buffer.from(damaged)), 'it is kept to look at')
    catalog.recordTags(NAME, ['v9'], 500)
    await catalog.close()
    t.strictSame(open(path).catalog.get(NAME)?.tags, ['v9'])
  }
})

t.test('a file that was forged with the right checksum can not harm', async (t) => {
  const { path, file } = await stored(t)
  const { createHash } = await import('node:crypto')
  const good = { scannedAt: 1, tags: ['a', 'b'], firstSeen: [[1, 2]], removed: [], records: [] }
  const rows: [object | null, string][] = [
    [null, 'its second line is no JSON object'],
    [{}, 'its tags are not in order'],
    [{ ...good, scannedAt: '1' }, 'its tags are not in order'],
    [{ ...good, tags: ['b', 'a'] }, 'its tags are not in order'],
    [{ ...good, tags: [1, 2] }, 'its tags are not in order'],
    [{ ...good, tags: { length: 1e9 } }, 'its tags are not in order'],
    [{ ...good, firstSeen: [[1, 4_000_000_000]] }, 'its times do not fit'],
    [{ ...good, firstSeen: [[1, 1]] }, 'its times do not fit'],
    [{ ...good, firstSeen: [[-1, 2]] }, 'its times do not fit'],
    [
      {
        ...good,
        firstSeen: [
          [1, 3],
          [1, -1],
        ],
      },
      'its times do not fit',
    ],
    [{ ...good, firstSeen: undefined }, 'it lacks a part'],
    [{ ...good, removed: [['c', 1, 'x']] }, 'a removed tag is wrong'],
    [{ ...good, removed: [7] }, 'it lacks a part'],
    [{ ...good, records: [['a', null, []]] }, 'a digest is wrong'],
    [{ ...good, records: [['a', null, [[1, 1]]]] }, 'a digest is wrong'],
    [{ ...good, records: [['a', [A, 'x', 1], [[A, 1]]]] }, 'a manifest is wrong'],
    [{ ...good, records: [['a', [A, [7], 1], [[A, 1]]]] }, 'a manifest is wrong'],
    [{ ...good, records: [['a', [A, null, null], [[A, 1]]]] }, 'a manifest is wrong'],
  ]
  for (const [facts, says] of rows) {
    const body = `${JSON.stringify(facts)}\n`
    const sha256 = createHash('sha256').update(body).digest('hex')
    const head = JSON.stringify({ format: 'tagwarden-index', version: 1, name: NAME, sha256 })
    writeFileSync(file, `${head}\n${body}`)
    const { catalog, problems } = open(path)
    t.equal(catalog.get(NAME), undefined, body.slice(0, 70))
    t.match(problems[0]?.message, says)
  }
})

t.test('a file too large to be ours is not read into memory', async (t) => {
  const { path, file } = await stored(t)
  truncateSync(file, 300 * 1024 * 1024)
  const { catalog, problems } = open(path)
  await catalog.load()
  t.strictSame(catalog.keys(), [])
  t.match(problems[0]?.message, /it has 314572800 bytes, and the limit is 268435456/)
})

t.test('what else lies in the folder is left alone', async (t) => {
  const { path, file, content } = await stored(t)
  const name = basename(file)
  const foreign = ['README.md', 'web.json', `${name}.bak`, `x${name.slice(-38)}`]
  for (const other of foreign) writeFileSync(join(path, other), 'not ours')
  mkdirSync(join(path, name.replace('web', 'dir')))
  symlinkSync('/etc/passwd', join(path, name.replace('web', 'link')))
  const before = readdirSync(path).sort()
  const { catalog, problems } = open(path)
  await catalog.load()
  await catalog.close()
  t.strictSame(catalog.keys(), [NAME])
  t.ok(readFileSync(file).equals(content))
  const aside = `x${name.slice(-38)}`
  t.strictSame(
    readdirSync(path).sort(),
    before.map((one) => (one === aside ? `${aside}.damaged` : one)).sort(),
    'only what has a name of ours is judged',
  )
  t.equal(problems.length, 1)
})

t.test('a temporary file that a dead process left is removed, a fresh one is not', async (t) => {
  const { path, file } = await stored(t)
  const old = `${file}.00000000-0000-4000-8000-000000000000.tmp`
  const fresh = `${file}.00000000-0000-4000-8000-000000000001.tmp`
  const foreign = join(path, 'notes.tmp')
  for (const one of [old, fresh, foreign]) writeFileSync(one, 'half')
  for (const one of [old, foreign]) utimesSync(one, 1, 1)
  const { catalog } = open(path)
  await catalog.load()
  t.equal(existsSync(old), false)
  t.equal(existsSync(fresh), true)
  t.equal(existsSync(foreign), true)
})

t.test('a folder that can not be written costs one word, and the index goes on', async (t) => {
  const path = join(t.testdir({ catalog: 'a file where a folder should be' }), 'catalog')
  const { catalog, problems } = open(path)
  t.match(problems[0]?.message, /catalog cannot be read/)
  await catalog.load()
  for (let n = 0; n < 5; n += 1) catalog.recordTags(`${NAME}${n}`, ['v1'], 100)
  await catalog.flush()
  catalog.recordTags(NAME, ['v1'], 200)
  await catalog.flush()
  t.equal(problems.length, 2)
  t.equal(problems[1]?.code, 'ERR_CATALOG')
  t.match(describeError(problems[1]), /cannot be written: .*until then the index is kept in memory/)
  t.strictSame(catalog.get(NAME)?.tags, ['v1'])

  rmSync(path)
  await catalog.close()
  t.equal(readdirSync(path).length, 6, 'what could not be written is written when it can be')
})

t.test('two that share a folder never leave a mixed file: the last writer wins', async (t) => {
  const path = join(t.testdir(), 'catalog')
  const writers = ['one', 'two'].map((who) => ({ who, ...open(path) }))
  for (let round = 1; round <= 20; round += 1) {
    for (const { who, catalog } of writers) {
      catalog.recordTags(
        NAME,
        Array.from({ length: 2_000 }, (_, n) => `${who}-${round}-${n}`),
        round,
      )
    }
    await Promise.all(writers.map(({ catalog }) => catalog.flush()))
    const { catalog, problems } = open(path)
    const tags = catalog.get(NAME)?.tags ?? []
    t.strictSame(problems, [])
    t.equal(tags.length, 2_000)
    t.equal(new Set(tags.map((tag) => tag.split('-')[0])).size, 1)
  }
  t.strictSame(readdirSync(path).length, 1)
  await Promise.all(writers.map(({ catalog }) => catalog.close()))
})

t.test('a file that is gone when its turn comes is told of', async (t) => {
  const { path, file } = await stored(t)
  const { catalog, problems } = open(path)
  renameSync(file, `${file}.away`)
  t.equal(catalog.get(NAME), undefined)
  t.match(problems[0]?.message, /cannot be read/)
})

t.test('nothing is written after the index was closed', async (t) => {
  const { path, file, content } = await stored(t)
  const { catalog } = open(path)
  await catalog.close()
  catalog.recordTags(NAME, ['v3'], 900)
  await catalog.flush()
  t.ok(readFileSync(file).equals(content))
  t.strictSame(catalog.get(NAME)?.tags, ['v3'], 'memory goes on')
})

t.test('a change is written without being asked, many changes are written once', async (t) => {
  const path = join(t.testdir(), 'catalog')
  const { catalog } = open(path)
  for (let n = 0; n < 50; n += 1) {
    catalog.recordManifest(NAME, `v${n}`, { digest: A, mediaType: 'm', platforms: undefined }, n)
  }
  while (!existsSync(path) || readdirSync(path).every((file) => !file.endsWith('.json'))) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.equal(open(path).catalog.get(NAME)?.tagsOf(A).length, 50)
  await catalog.close()
})
