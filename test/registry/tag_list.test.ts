import t from 'tap'
import { startFakeRegistry } from '../fakes/registry.ts'
import { failureOf, startPair } from './pair.ts'

const TAGS = Array.from({ length: 25 }, (_, index) => `v1.${index}.0`)

t.test('every tag is there once, through all pages', async (t) => {
  const repositories = { 'acme/web': TAGS }
  const { client, fake, name } = await startPair(t, { repositories, pageSize: 10 })
  const tags = await client.listTags(name('acme/web'), {})
  t.strictSame(tags.sort(), [...TAGS].sort())
  t.equal(fake.requests.length, 3)
  t.match(fake.requests[0]?.path, '/v2/acme/web/tags/list?n=1000')
  t.match(fake.requests[0]?.headers, { 'user-agent': 'tagwarden' })
})

t.test('a relative, absolute or second link leads on', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories: { 'acme/web': TAGS } })
  const last = 'last=v1.9.0'
  const links = [
    `</v2/acme/web/tags/list?${last}>; rel="next"`,
    `<?${last}>; rel=next`,
    `<list?${last}>; rel="next"`,
    `<${fake.origin}/v2/acme/web/tags/list?${last}>; rel="next"`,
    [`</x>; rel="prev"`, `<?${last}>; title="a, b"; rel="next"`],
  ]
  for (const link of links) {
    fake.faults = { link, only: /n=1000$/ }
    fake.requests.length = 0
    t.equal((await client.listTags(name('acme/web'), {})).length, TAGS.length)
    t.strictSame(
      fake.requests.map(({ path }) => path),
      ['/v2/acme/web/tags/list?n=1000', `/v2/acme/web/tags/list?${last}`],
      JSON.stringify(link),
    )
  }
})

t.test('a repository without tags is an empty list, whether null or []', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories: { 'acme/web': [] } })
  t.strictSame(await client.listTags(name('acme/web'), {}), [])
  fake.faults = { tagPage: '{"name":"acme/web","tags":null}' }
  t.strictSame(await client.listTags(name('acme/web'), {}), [])
})

t.test('names that are no tags are left out, and equal ones kept once', async (t) => {
  const tags = [
    'v1',
    'v1',
    '',
    '-v',
    '.v',
    'a/b',
    'a:b',
    'v 1',
    'v\n',
    'v\0',
    '🦊',
    '__proto__',
    'x'.repeat(128),
    'x'.repeat(129),
  ]
  const { client, name } = await startPair(t, {
    repositories: { 'acme/web': [] },
    faults: { tagPage: JSON.stringify({ name: 'acme/web', tags }) },
  })
  t.strictSame(await client.listTags(name('acme/web'), {}), ['v1', '__proto__', 'x'.repeat(128)])
})

t.test('an answer that is no tag list is refused, never taken for an empty one', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories: { 'acme/web': TAGS } })
  const pages = [
    '{}',
    '{"tags":"v1"}',
    '{"tags":{}}',
    '{"tags":["v1",2]}',
    '{"tags":[null]}',
    '[]',
    'null',
    '"v1"',
    '{"tags":[',
    '',
    '\0',
  ]
  for (const tagPage of pages) {
    fake.faults = { tagPage }
    const failure = await failureOf(client.listTags(name('acme/web'), {}))
    t.equal(failure.code, 'ERR_REGISTRY_RESPONSE', JSON.stringify(tagPage))
    t.match(failure.message, fake.host)
  }
})

t.test('a login page is named as what it is', async (t) => {
  const { client, name } = await startPair(t, { faults: { html: true } })
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_RESPONSE', remedy: /login page/ })
  t.match(failure.message, /tags of .* JSON object \(text\/html\)/)
  t.notMatch(failure.message, /doctype|Log in/)
})

t.test('broken JSON is refused without quoting it', async (t) => {
  const { client, name } = await startPair(t, {
    repositories: { 'acme/web': TAGS },
    faults: { brokenJson: true },
  })
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_RESPONSE', cause: undefined })
  t.notMatch(failure.message, 'v1.1.0')
})

t.test('a registry that refuses the page size is asked without one', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories: { 'acme/web': ['v1'] } })
  for (const status of [400, 405]) {
    fake.faults = { statuses: [status] }
    t.strictSame(await client.listTags(name('acme/web'), {}), ['v1'])
    t.equal(fake.requests.at(-1)?.path, '/v2/acme/web/tags/list')
  }
})

t.test('a next page on another host is refused, and nothing is sent there', async (t) => {
  const other = await startFakeRegistry({ repositories: { 'acme/web': TAGS } })
  t.teardown(() => other.close())
  const { client, fake, name } = await startPair(t, { repositories: { 'acme/web': TAGS } })
  const [host, port] = fake.host.split(':')
  const links = [
    `${other.origin}/v2/acme/web/tags/list`,
    `//${other.host}/v2/acme/web/tags/list`,
    `https://${fake.host}/v2/acme/web/tags/list`,
    `http://user:password@${other.host}/v2/acme/web/tags/list`,
    `http://localhost:${port}/v2/acme/web/tags/list`,
    `http://${host}/v2/acme/web/tags/list`,
    'file:///etc/passwd',
    'data:application/json,{"tags":[]}',
  ]
  for (const link of links) {
    fake.faults = { link: `<${link}>; rel="next"` }
    const failure = await failureOf(client.listTags(name('acme/web'), {}))
    t.equal(failure.code, 'ERR_REGISTRY_REDIRECT', link)
    t.notMatch(failure.message, 'password', link)
  }
  t.strictSame(other.requests, [])
})

t.test('a list that leads back to a page it had is refused', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories: { 'acme/web': TAGS } })
  for (const link of ['<?n=1000>; rel="next"', '<?n=1000#x>; rel="next"', '<>; rel="next"']) {
    fake.faults = { link }
    const failure = await failureOf(client.listTags(name('acme/web'), {}))
    t.match(failure, { code: 'ERR_REGISTRY_RESPONSE', message: /already read/ }, link)
  }
  fake.faults = { link: '<http://[>; rel="next"' }
  t.match(await failureOf(client.listTags(name('acme/web'), {})), { message: /no URL/ })
})

t.test('an endless tag list stops at the limit of tags', async (t) => {
  const limits = { tags: 1_000 }
  const faults = { endless: true }
  const options = { repositories: { 'acme/web': [] }, faults }
  const { client, fake, name } = await startPair(t, options, {}, { limits })
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_LIMIT', message: /1000 tags/ })
  t.equal(fake.requests.length, 11)
})

t.test('what is excluded counts for no limit, and is left out', async (t) => {
  const limits = { tags: 11 }
  const repositories = { 'acme/web': [...TAGS, 'latest'] }
  const { client, fake, name } = await startPair(t, { repositories, pageSize: 5 }, {}, { limits })
  const excludes = (tag: string) => /^v1\.\d\d/.test(tag)
  const tags = await client.listTags(name('acme/web'), { excludes })
  t.strictSame(tags.sort(), ['latest', ...TAGS.filter((tag) => tag.length === 6)].slice(0, 11))
  fake.requests.length = 0
  const failure = await failureOf(client.listTags(name('acme/web'), { excludes: () => false }))
  t.match(failure, {
    code: 'ERR_REGISTRY_LIMIT',
    message: /exclusionList/,
    remedy: /catalog\.tagLimit/,
  })
  t.equal(fake.requests.length, 3, 'it is read no further')
})

t.test('very long names stop at a limit of their own', async (t) => {
  const limits = { tags: 100 }
  const repositories = {
    'acme/web': Array.from({ length: 60 }, (_, index) => `${'x'.repeat(120)}${index}`),
  }
  const { client, name } = await startPair(t, { repositories }, {}, { limits })
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_LIMIT', message: /longer than 6400 characters/ })
})

t.test('while patterns look at a large page, others have their turn', async (t) => {
  const tagPage = JSON.stringify({ tags: Array.from({ length: 50_000 }, (_, i) => `v${i}`) })
  const options = { repositories: { 'acme/web': [] }, faults: { tagPage } }
  const { client, name } = await startPair(t, options)
  let looked = 0
  let most = 0
  let before = 0
  const turn = () => {
    most = Math.max(most, looked - before)
    before = looked
    if (looked < 50_000) setImmediate(turn)
  }
  const excludes = (tag: string) => {
    looked += 1
    const until = performance.now() + 0.01
    while (performance.now() < until);
    return tag.endsWith('7')
  }
  setImmediate(turn)
  t.equal((await client.listTags(name('acme/web'), { excludes })).length, 45_000)
  t.ok(most < 25_000, `${most} of 50000 in one turn`)
})

t.test('an endless list of pages without new tags stops at the limit of pages', async (t) => {
  const options = { repositories: { 'acme/web': [] }, faults: { endless: true } }
  const { client, fake, name } = await startPair(t, options, {}, { limits: { pages: 7 } })
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_LIMIT', message: /7 pages/ })
  t.equal(fake.requests.length, 7)
})

t.test('a page larger than the limit is cut off while it comes', async (t) => {
  const tagPage = JSON.stringify({ tags: Array(5_000).fill('v1.0.0') })
  const options = { repositories: { 'acme/web': [] }, faults: { tagPage } }
  const { client, name } = await startPair(t, options, {}, { limits: { tagPageBytes: 10_000 } })
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_LIMIT', message: /10000 bytes/ })
})

t.test('an unknown repository is told from one without tags', async (t) => {
  const { client, fake, name } = await startPair(t)
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_NOT_FOUND', remedy: /spelling/ })
  t.equal(
    failure.message,
    `${fake.host} answered 404 Not Found for the tags of ${fake.host}/acme/web, NAME_UNKNOWN: name unknown`,
  )
})
