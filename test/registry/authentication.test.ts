import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type FakeAuthentication, startFakeRegistry } from '../fakes/registry.ts'
import { base64, dockerConfig, failureOf, startPair } from './pair.ts'

const repositories = { 'acme/web': ['v1.0.0'], 'acme/api': ['v2.0.0'] }
const ANN = { username: 'ann', password: 'p@ss:wörd' }
const LOGIN = { auth: base64('ann:p@ss:wörd') }

/** A fake that wants authentication, and a client with this entry for it in its file. */
async function start(t: Test, authentication: FakeAuthentication, entry: object | undefined) {
  const folder = t.testdir({ 'config.json': '{}' })
  const dockerConfigPath = join(folder, 'config.json')
  const pair = await startPair(
    t,
    { repositories, authentication },
    entry ? { auth: { dockerConfig: dockerConfigPath } } : {},
  )
  if (entry) await writeFile(dockerConfigPath, dockerConfig(pair.fake.host, entry))
  return { ...pair, file: dockerConfigPath }
}

function paths(requests: readonly { path: string }[]): string[] {
  return requests.map(({ path }) => path.replace(/\?.*/, ''))
}

t.test('basic credentials are sent once they were asked for, then at once', async (t) => {
  const { client, fake, name } = await start(t, { kind: 'basic', ...ANN }, LOGIN)
  t.strictSame(await client.listTags(name('acme/web'), {}), ['v1.0.0'])
  t.strictSame(
    fake.requests.map(({ headers }) => headers.authorization),
    [undefined, `Basic ${base64('ann:p@ss:wörd')}`],
  )
  fake.requests.length = 0
  await client.listTags(name('acme/api'), {})
  t.equal(fake.requests.length, 1)
})

t.test('refused credentials are told from missing ones', async (t) => {
  const wrong = await start(t, { kind: 'basic', ...ANN }, { auth: base64('ann:old') })
  const refused = await failureOf(wrong.client.listTags(wrong.name('acme/web'), {}))
  t.match(refused, { code: 'ERR_REGISTRY_UNAUTHORIZED', remedy: /Log in .* again/ })
  t.match(refused.message, /401 Unauthorized .* UNAUTHORIZED/)
  t.notMatch(`${refused.stack} ${refused.cause}`, /ann|old|YW5u/)
  t.equal(wrong.fake.requests.length, 2)

  const none = await start(t, { kind: 'basic', ...ANN }, undefined)
  const missing = await failureOf(none.client.listTags(none.name('acme/web'), {}))
  t.match(missing, { code: 'ERR_REGISTRY_UNAUTHORIZED', remedy: /auth\.dockerConfig/ })
  t.equal(none.fake.requests.length, 1)
})

t.test('a public registry with tokens is read without credentials', async (t) => {
  const { client, fake, name } = await start(t, { kind: 'token' }, undefined)
  t.strictSame(await client.listTags(name('acme/web'), {}), ['v1.0.0'])
  t.strictSame(paths(fake.requests), ['/v2/acme/web/tags/list', '/token', '/v2/acme/web/tags/list'])
  const token = fake.requests[1]
  t.equal(token?.path, '/token?service=fake&scope=repository%3Aacme%2Fweb%3Apull')
  t.equal(token?.headers.authorization, undefined)
})

t.test('credentials go to the token server, and only its token to the registry', async (t) => {
  const { client, fake, name } = await start(t, { kind: 'token', ...ANN }, LOGIN)
  await client.resolve(name('acme/web'), 'v1.0.0', { platforms: true })
  const sent = fake.requests.map(({ headers }) => headers.authorization)
  t.strictSame(sent, [
    undefined,
    `Basic ${base64('ann:p@ss:wörd')}`,
    `Bearer ${fake.tokens.given[0]}`,
  ])
})

t.test('a refresh token is exchanged by POST and never stands in a URL', async (t) => {
  const authentication = { kind: 'token', ...ANN, identityToken: 'refresh-me' } as const
  const { client, fake, name } = await start(t, authentication, { identitytoken: 'refresh-me' })
  t.strictSame(await client.listTags(name('acme/web'), {}), ['v1.0.0'])
  const [, token] = fake.requests
  t.match(token, { method: 'POST', path: '/token' })
  t.notMatch(JSON.stringify(fake.requests), 'refresh-me')
})

t.test('a token of the registry itself is sent as it is', async (t) => {
  const { client, fake, name } = await start(t, { kind: 'token', ...ANN }, { registrytoken: 'own' })
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.equal(failure.code, 'ERR_REGISTRY_UNAUTHORIZED')
  t.equal(fake.requests.at(-1)?.headers.authorization, 'Bearer own')
  t.equal(fake.tokens.given.length, 0)
})

t.test(
  'a token is used again as long as it is good, and each repository has its own',
  async (t) => {
    const authentication = { kind: 'token', ...ANN, expiresIn: 300 } as const
    const { client, fake, name, time } = await start(t, authentication, LOGIN)
    await client.listTags(name('acme/web'), {})
    await client.listTags(name('acme/web'), {})
    t.equal(fake.requests.length, 4, 'challenge, token, list; list')

    fake.requests.length = 0
    await client.listTags(name('acme/api'), {})
    t.strictSame(paths(fake.requests), ['/token', '/v2/acme/api/tags/list'], 'no second challenge')
    t.not(fake.tokens.given[0], fake.tokens.given[1])

    fake.requests.length = 0
    time.now += 269_000
    await client.listTags(name('acme/web'), {})
    t.equal(fake.requests.length, 1)
    time.now += 2_000
    await client.listTags(name('acme/web'), {})
    t.strictSame(paths(fake.requests).slice(1), ['/token', '/v2/acme/web/tags/list'])
  },
)

t.test('a token without a lifetime is good for 60 seconds, less a tenth', async (t) => {
  const { client, fake, name, time } = await start(t, { kind: 'token', ...ANN }, LOGIN)
  await client.listTags(name('acme/web'), {})
  time.now += 53_000
  await client.listTags(name('acme/web'), {})
  t.equal(fake.tokens.given.length, 1)
  time.now += 2_000
  await client.listTags(name('acme/web'), {})
  t.equal(fake.tokens.given.length, 2)
})

t.test('a token that is refused before its time is replaced once', async (t) => {
  const { client, fake, name } = await start(t, { kind: 'token', ...ANN, expiresIn: 300 }, LOGIN)
  await client.listTags(name('acme/web'), {})
  fake.tokens.revoke()
  fake.requests.length = 0
  t.strictSame(await client.listTags(name('acme/web'), {}), ['v1.0.0'])
  t.strictSame(paths(fake.requests), ['/v2/acme/web/tags/list', '/token', '/v2/acme/web/tags/list'])
})

t.test('equal token requests under way are one', async (t) => {
  const { client, fake, name } = await start(t, { kind: 'token', ...ANN, delay: 20 }, LOGIN)
  await Promise.all(Array.from({ length: 8 }, () => client.resolve(name('acme/web'), 'v1.0.0', {})))
  t.equal(paths(fake.requests).filter((path) => path === '/token').length, 1)
})

t.test('one who stops waiting for a token does not spoil it for the others', async (t) => {
  const { client, name } = await start(t, { kind: 'token', ...ANN, delay: 100 }, LOGIN)
  const controller = new AbortController()
  const impatient = client.listTags(name('acme/web'), { signal: controller.signal })
  const patient = client.listTags(name('acme/web'), {})
  setTimeout(() => controller.abort(), 50)
  const failure = await failureOf(impatient)
  t.match(failure, { code: 'ERR_REGISTRY_TIMEOUT', message: /stopped waiting/ })
  t.strictSame(await patient, ['v1.0.0'])
})

t.test('new credentials in the file get a new token', async (t) => {
  const { client, fake, name, file } = await start(t, { kind: 'token', expiresIn: 300 }, LOGIN)
  await client.listTags(name('acme/web'), {})
  await writeFile(file, dockerConfig(fake.host, { auth: base64('somebody:else entirely') }))
  await client.listTags(name('acme/web'), {})
  t.equal(fake.tokens.given.length, 2)
})

t.test('credentials are not sent to a token server of another domain', async (t) => {
  const thief = await startFakeRegistry({ authentication: { kind: 'token' } })
  t.teardown(() => thief.close())
  const realm = `http://localhost:${thief.host.split(':')[1]}/token`
  const { client, name } = await start(t, { kind: 'token', realm }, LOGIN)
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_REDIRECT', remedy: /auth\.tokenServer: localhost/ })
  t.strictSame(thief.requests, [])
})

t.test('a token server of another domain may be allowed in the settings', async (t) => {
  const folder = t.testdir({ 'config.json': '{}' })
  const server = await startFakeRegistry({ authentication: { kind: 'token' } })
  t.teardown(() => server.close())
  const tokenServer = `localhost:${server.host.split(':')[1]}`
  const { client, fake, name } = await startPair(
    t,
    { repositories, authentication: { kind: 'token', realm: `http://${tokenServer}/token` } },
    { auth: { dockerConfig: join(folder, 'config.json'), tokenServer } },
  )
  await writeFile(join(folder, 'config.json'), dockerConfig(fake.host, LOGIN))
  await failureOf(client.listTags(name('acme/web'), {}))
  t.match(server.requests[0]?.headers.authorization, /^Basic /)
})

t.test('without credentials a token may come from anywhere', async (t) => {
  const server = await startFakeRegistry({ authentication: { kind: 'token' } })
  t.teardown(() => server.close())
  const realm = `http://localhost:${server.host.split(':')[1]}/token`
  const { client, name } = await start(t, { kind: 'token', realm }, undefined)
  await failureOf(client.listTags(name('acme/web'), {}))
  t.equal(server.requests.length, 1)
})

t.test('a token server that redirects gets no second request', async (t) => {
  const thief = await startFakeRegistry()
  t.teardown(() => thief.close())
  const { client, fake, name } = await start(t, { kind: 'token', ...ANN }, LOGIN)
  fake.faults = { statuses: [302], only: /token/ }
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_REDIRECT', message: /no redirect/ })
  t.strictSame(thief.requests, [])
})

t.test('the token is not sent to a host other than the registry', async (t) => {
  const thief = await startFakeRegistry({ repositories })
  t.teardown(() => thief.close())
  const { client, fake, name } = await start(t, { kind: 'token', ...ANN }, LOGIN)
  fake.faults = { redirect: `${thief.origin}/v2/acme/web/tags/list` }
  const list = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(list, { code: 'ERR_REGISTRY_REDIRECT', message: thief.origin })
  fake.faults = { redirect: `${thief.origin}/v2/acme/web/manifests/v1.0.0` }
  const manifest = await failureOf(client.resolve(name('acme/web'), 'v1.0.0', {}))
  t.equal(manifest.code, 'ERR_REGISTRY_REDIRECT')
  fake.faults = { link: `<${thief.origin}/v2/acme/web/tags/list>; rel="next"` }
  const page = await failureOf(client.listTags(name('acme/web'), {}))
  t.equal(page.code, 'ERR_REGISTRY_REDIRECT')
  t.strictSame(thief.requests, [])
})

t.test('a challenge that leads nowhere is refused', async (t) => {
  const rows = [
    ['ftp://127.0.0.1/token', 'ERR_REGISTRY_RESPONSE'],
    ['/token', 'ERR_REGISTRY_RESPONSE'],
    ['', 'ERR_REGISTRY_RESPONSE'],
    ['javascript:alert(1)', 'ERR_REGISTRY_RESPONSE'],
  ] as const
  for (const [realm, code] of rows) {
    const { client, name } = await start(t, { kind: 'token', realm }, LOGIN)
    t.equal((await failureOf(client.listTags(name('acme/web'), {}))).code, code, realm)
  }
})

t.test('a token answer that cannot be used is refused', async (t) => {
  const answers = [
    '{}',
    '[]',
    'null',
    '<html>',
    '{"token":1}',
    '{"token":""}',
    '{"token":"a\\r\\nX: y"}',
    '{"token":"a b"}',
    '{"token":"🦊"}',
  ]
  for (const answer of answers) {
    const { client, fake, name } = await start(t, { kind: 'token', answer }, LOGIN)
    const failure = await failureOf(client.listTags(name('acme/web'), {}))
    t.equal(failure.code, 'ERR_REGISTRY_RESPONSE', answer)
    t.equal(fake.requests.length, 2)
  }
})

t.test('a huge token answer is cut off', async (t) => {
  const answer = JSON.stringify({ token: 'x'.repeat(300 * 1024) })
  const { client, name } = await start(t, { kind: 'token', answer }, LOGIN)
  t.equal((await failureOf(client.listTags(name('acme/web'), {}))).code, 'ERR_REGISTRY_LIMIT')
})

t.test('a token server that is told access_token is understood', async (t) => {
  const answer = '{"access_token":"good"}'
  const { client, fake, name } = await start(t, { kind: 'token', answer }, LOGIN)
  await failureOf(client.listTags(name('acme/web'), {}))
  t.equal(fake.requests.at(-1)?.headers.authorization, 'Bearer good')
})

t.test('a login that the token server refuses is said', async (t) => {
  const { client, fake, name } = await start(
    t,
    { kind: 'token', ...ANN },
    { auth: base64('ann:x') },
  )
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_UNAUTHORIZED', remedy: /Log in .* again/ })
  t.match(failure.message, /401 Unauthorized for a token for .*acme\/web/)
  t.equal(fake.requests.length, 2)
})
