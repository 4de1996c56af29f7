import t from 'tap'
import { type FakeRegistryOptions, startFakeRegistry } from './registry.ts'

async function start(t: { teardown(work: () => unknown): void }, options: FakeRegistryOptions) {
  const fake = await startFakeRegistry(options)
  t.teardown(() => fake.close())
  const get = (path: string, init: RequestInit = {}) => fetch(`${fake.origin}${path}`, init)
  return { fake, get }
}

const repositories = { 'acme/web': ['v1', 'v2', 'v3'] }
const LIST = '/v2/acme/web/tags/list'
const MANIFEST = '/v2/acme/web/manifests/v1'

t.test('without faults it is a registry', async (t) => {
  const { fake, get } = await start(t, { repositories })
  t.equal((await get('/v2/')).status, 200)
  t.strictSame(await (await get(LIST)).json(), { name: 'acme/web', tags: ['v1', 'v2', 'v3'] })
  const head = await get(MANIFEST, { method: 'HEAD' })
  t.equal(head.headers.get('docker-content-digest'), fake.digest('acme/web', 'v1'))
  t.strictSame(
    fake.requests.map(({ method, path }) => `${method} ${path}`),
    ['GET /v2/', `GET ${LIST}`, `HEAD ${MANIFEST}`],
  )
})

t.test('a tag can be moved while it runs', async (t) => {
  const { fake, get } = await start(t, { repositories })
  const before = fake.digest('acme/web', 'v1')
  const after = fake.push('acme/web', 'v1', 'rebuilt')
  t.not(after, before)
  t.equal((await get(MANIFEST)).headers.get('docker-content-digest'), after)
  fake.push('acme/new', 'v1')
  t.equal((await get('/v2/acme/new/tags/list')).status, 200)
  t.throws(() => fake.digest('acme/web', 'v9'), /no acme\/web:v9/)
})

t.test('a page is never larger than the page size', async (t) => {
  const { get } = await start(t, { repositories, pageSize: 2 })
  for (const query of ['', '?n=1000']) {
    const answer = await get(LIST + query)
    t.match(await answer.json(), { tags: ['v1', 'v2'] })
    t.equal(answer.headers.get('link'), `<${LIST}?n=2&last=v2>; rel="next"`)
  }
  t.match(await (await get(`${LIST}?n=1`)).json(), { tags: ['v1'] })
})

t.test('basic authentication lets in who knows the password', async (t) => {
  const authentication = { kind: 'basic', username: 'ann', password: 'p' } as const
  const { get } = await start(t, { repositories, authentication })
  const refused = await get(LIST)
  t.equal(refused.status, 401)
  t.equal(refused.headers.get('www-authenticate'), 'Basic realm="fake"')
  t.equal((await get(LIST, { headers: { authorization: 'Basic YW5uOnA=' } })).status, 200)
  t.equal((await get(LIST, { headers: { authorization: 'Basic YW5uOng=' } })).status, 401)
  t.equal((await get('/token')).status, 404)
})

t.test('a token opens the repository of its scope and no other', async (t) => {
  const authentication = { kind: 'token', expiresIn: 300 } as const
  const { fake, get } = await start(t, { repositories, authentication })
  const challenge = (await get(LIST)).headers.get('www-authenticate')
  t.equal(
    challenge,
    `Bearer realm="${fake.origin}/token",service="fake",scope="repository:acme/web:pull"`,
  )
  const answer = await get('/token?service=fake&scope=repository:acme/web:pull')
  const { token, expires_in } = JSON.parse(await answer.text())
  t.equal(expires_in, 300)
  t.strictSame(fake.tokens.given, [token])
  const headers = { authorization: `Bearer ${token}` }
  t.equal((await get(LIST, { headers })).status, 200)
  t.equal((await get('/v2/acme/api/tags/list', { headers })).status, 401)
  fake.tokens.revoke()
  t.equal((await get(LIST, { headers })).status, 401)
})

t.test('tokens are given for the password or the refresh token only', async (t) => {
  const authentication = {
    kind: 'token',
    username: 'ann',
    password: 'p',
    identityToken: 'refresh',
  } as const
  const { get } = await start(t, { authentication })
  t.equal((await get('/token')).status, 401)
  t.equal((await get('/token', { headers: { authorization: 'Basic YW5uOnA=' } })).status, 200)
  const form = (token: string) =>
    new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, scope: 's' })
  t.equal((await get('/token', { method: 'POST', body: form('refresh') })).status, 200)
  t.equal((await get('/token', { method: 'POST', body: form('other') })).status, 401)
})

t.test('faults come and go while it runs', async (t) => {
  const { fake, get } = await start(t, { repositories })
  fake.faults = { rateLimited: true, retryAfter: '7' }
  const limited = await get(LIST)
  t.equal(limited.status, 429)
  t.equal(limited.headers.get('retry-after'), '7')
  fake.faults = { statuses: [503, 500] }
  t.strictSame([(await get(LIST)).status, (await get(LIST)).status], [503, 500])
  t.equal((await get(LIST)).status, 200)
  fake.faults = { rateLimited: true, only: /manifests/ }
  t.equal((await get(LIST)).status, 200)
  t.equal((await get(MANIFEST)).status, 429)
  fake.faults = { resets: 1 }
  await t.rejects(get(LIST))
  t.equal((await get(LIST)).status, 200)
})

t.test('bodies can be spoilt', async (t) => {
  const { fake, get } = await start(t, { repositories })
  fake.faults = { html: true }
  t.match(await (await get(LIST)).text(), '<!doctype html>')
  fake.faults = { brokenJson: true }
  for (const path of [LIST, MANIFEST]) await t.rejects((await get(path)).json(), path)
  fake.faults = { tagPage: '{"tags":null}' }
  t.strictSame(await (await get(LIST)).json(), { tags: null })
  fake.faults = { hugeManifest: 100_000 }
  t.equal((await (await get(MANIFEST)).bytes()).length, 100_000)
  const whole = await (await start(t, { repositories })).get(MANIFEST)
  fake.faults = { damage: true }
  const damaged = await get(MANIFEST)
  t.equal(damaged.headers.get('docker-content-digest'), whole.headers.get('docker-content-digest'))
  t.not(await damaged.text(), await whole.text())
})

t.test('headers can be spoilt', async (t) => {
  const { fake, get } = await start(t, { repositories })
  const headers = async (path: string, method = 'GET') =>
    (await get(path, { method, redirect: 'manual' })).headers
  fake.faults = { digestHeader: '', contentType: 'text/plain' }
  t.equal((await headers(MANIFEST)).get('docker-content-digest'), null)
  t.equal((await headers(MANIFEST)).get('content-type'), 'text/plain')
  fake.faults = { digestHeader: 'sha256:0' }
  t.equal((await headers(MANIFEST, 'HEAD')).get('docker-content-digest'), 'sha256:0')
  fake.faults = { redirect: '/elsewhere', blobRedirect: '/storage' }
  t.equal((await headers(LIST)).get('location'), '/elsewhere')
  t.equal((await headers(MANIFEST)).get('location'), '/elsewhere')
  const [blob] = fake.repositories.get('acme/web')!.blobs.keys()
  t.equal((await headers(`/v2/acme/web/blobs/${blob}`)).get('location'), '/storage')
  fake.faults = { headStatus: 405 }
  t.equal((await get(MANIFEST, { method: 'HEAD' })).status, 405)
  t.equal((await get(MANIFEST)).status, 200)
})

t.test('an endless list has a next page on every page', async (t) => {
  const { get } = await start(t, { repositories: { 'acme/web': [] }, faults: { endless: true } })
  for (const page of [0, 1, 999]) {
    const answer = await get(`${LIST}?page=${page}`)
    t.equal(answer.headers.get('link'), `<?page=${page + 1}>; rel=next`)
    t.equal(JSON.parse(await answer.text()).tags[0], `v${page}.0.0`)
  }
})

t.test('a hanging registry accepts and says nothing; a stalling one stops halfway', async (t) => {
  const { fake, get } = await start(t, { repositories, faults: { hang: true } })
  const controller = new AbortController()
  const hanging = get(LIST, { signal: controller.signal })
  while (fake.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  controller.abort()
  await t.rejects(hanging)
  fake.faults = { stall: true }
  const stalled = await get(LIST)
  const reader = stalled.body!.getReader()
  t.ok((await reader.read()).value)
  await reader.cancel()
  fake.faults = { delay: 30 }
  const began = performance.now()
  await get(LIST)
  t.ok(performance.now() - began >= 29)
})

t.test('with TLS its certificate is of an authority of its own', async (t) => {
  const { fake, get } = await start(t, { repositories, tls: true })
  t.match(fake.origin, /^https:/)
  t.match(fake.authority, /BEGIN CERTIFICATE/)
  await t.rejects(get(LIST), 'nobody trusts it by itself')
})
