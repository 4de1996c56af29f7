import t from 'tap'
import { environmentProxy } from '../../src/proxies/index.ts'
import {
  basicCredential,
  createRegistryClient,
  type RegistryAccess,
  type RegistryClient,
} from '../../src/registry/index.ts'
import { startFakeProxy } from '../fakes/proxy.ts'
import { startFakeRegistry } from '../fakes/registry.ts'
import { createFakeAuthority } from '../fakes/registry_authority.ts'
import type { FakeAccount } from '../fakes/registry_tokens.ts'
import { failureOf, startPair } from './pair.ts'

const repositories = { 'acme/web': ['v1.0.0'] }
const PASSWORD = 'hunter2-very-secret'

function access(id: string, more: Partial<RegistryAccess> = {}): RegistryAccess {
  return { id, version: '1', ...more }
}

function as(username: string, password = PASSWORD): RegistryAccess['credential'] {
  return () => basicCredential(username, password, 'test')
}

t.test('an access reads with its own credentials, and only with those', async (t) => {
  const accounts = new Map<string, FakeAccount>([
    ['ann', { password: PASSWORD, repositories: ['acme/web'] }],
  ])
  for (const by of ['token', 'basic'] as const) {
    const installation: string[] = []
    const { client, name, fake } = await startPair(
      t,
      { repositories, authentication: { kind: 'accounts', by, accounts } },
      {},
      {
        credential: (host, path) => {
          installation.push(`${host}/${path}`)
          return basicCredential('ann', PASSWORD, 'test')
        },
      },
    )
    const list = (one?: RegistryAccess) => client.listTags(name('acme/web'), { access: one })
    t.strictSame(await list(), ['v1.0.0'], by)
    t.ok(installation.length > 0)
    installation.length = 0
    const nobody = await failureOf(list(access('shop/none')))
    t.equal(nobody.code, 'ERR_REGISTRY_UNAUTHORIZED', 'no token of the installation is used')
    t.match(nobody.remedy, 'shop/none')
    const bob = await failureOf(list(access('shop/bob', { credential: as('bob') })))
    t.equal(bob.code, 'ERR_REGISTRY_UNAUTHORIZED')
    t.match(bob.remedy, /Renew what shop\/bob holds/)
    t.strictSame(installation, [], 'the installation is not asked')
    const ann = access('shop/ann', { credential: as('ann') })
    t.strictSame(await list(ann), ['v1.0.0'])
    t.equal((await client.resolve(name('acme/web'), 'v1.0.0', { access: ann })).digest.length, 71)
    const other = access('bank/ann', { credential: as('ann') })
    const given = fake.tokens.given.length
    t.strictSame(await list(other), ['v1.0.0'])
    if (by === 'token') t.equal(fake.tokens.given.length, given + 1, 'a token of its own')
    t.notMatch(JSON.stringify([nobody, bob, nobody.message, bob.message]), PASSWORD)
  }
})

t.test('what the settings say of a host’s address holds for an access too', async (t) => {
  const { fake } = await startPair(t, { repositories })
  const client = createRegistryClient({
    settings: [{ host: 'registry.test', address: fake.host, insecure: true }],
  })
  t.teardown(() => client.close())
  const tags = await client.listTags('registry.test/acme/web', { access: access('shop/x') })
  t.strictSame(tags, ['v1.0.0'])
})

t.test('an access may be plain HTTP where the installation is not', async (t) => {
  const { fake } = await startPair(t, { repositories })
  const client = createRegistryClient({ settings: [] })
  t.teardown(() => client.close())
  const name = `${fake.host}/acme/web`
  const insecure = access('shop/,insecure', { connection: { insecure: true } })
  t.strictSame(await client.listTags(name, { access: insecure }), ['v1.0.0'])
  t.equal((await failureOf(client.listTags(name, {}))).code, 'ERR_REGISTRY_UNREACHABLE')
})

t.test('a registry that asks who connects', async (t) => {
  const fake = await startFakeRegistry({ repositories, tls: true, clientCertificates: true })
  const client: RegistryClient = createRegistryClient({ settings: [] })
  t.teardown(() => Promise.all([client.close(), fake.close()]))
  const name = `${fake.host}/acme/web`
  const list = (id: string, connection: RegistryAccess['connection']) =>
    client.listTags(name, { access: access(id, { connection }) })
  const certificateAuthority = fake.authority
  const good = { certificateAuthority, clientCertificate: fake.clientCertificate }
  t.strictSame(await list('shop/,cert=good', good), ['v1.0.0'])

  const none = await failureOf(list('shop/,cert=ca', { certificateAuthority }))
  t.equal(none.code, 'ERR_REGISTRY_UNREACHABLE')
  t.strictSame(fake.requests.length, 1, 'no connection of another access is used')
  const clientCertificate = createFakeAuthority().client
  const wrong = await failureOf(list('bank/,cert=x', { certificateAuthority, clientCertificate }))
  t.equal(wrong.code, 'ERR_REGISTRY_UNREACHABLE')
  const stranger = await failureOf(list('lab/', undefined))
  t.match(stranger.message, /authority|certificate/)
  for (const failure of [none, wrong, stranger]) {
    t.notMatch(`${failure.message} ${failure.remedy}`, /PRIVATE|BEGIN/)
  }
})

t.test('a registry behind a proxy', async (t) => {
  const plain = await startFakeRegistry({ repositories })
  const tls = await startFakeRegistry({ repositories, tls: true })
  const proxy = await startFakeProxy({ username: 'ann', password: PASSWORD })
  const client = createRegistryClient({ settings: [] })
  t.teardown(() => Promise.all([client.close(), plain.close(), tls.close(), proxy.close()]))
  const list = (host: string, login: object, address = proxy.address) =>
    client.listTags(`${host}/acme/web`, {
      access: access('shop/,proxy=corp', {
        connection: {
          certificateAuthority: tls.authority,
          insecure: host === plain.host,
          proxy: { address, ...login },
        },
      }),
    })
  const ann = { username: 'ann', password: PASSWORD }

  t.test('is asked through it', async (t) => {
    t.strictSame(await list(tls.host, ann), ['v1.0.0'])
    t.strictSame(proxy.passed.splice(0), [`CONNECT ${tls.host}`])
    t.strictSame(await list(plain.host, ann), ['v1.0.0'])
    t.match(proxy.passed.splice(0), [new RegExp(`GET http://${plain.host}/v2/acme/web`)])
    const headers = [...tls.requests, ...plain.requests].map((each) => each.headers)
    t.notMatch(JSON.stringify(headers), /proxy-authorization/i, 'which keeps its login')
  })

  t.test('tells what the proxy said', async (t) => {
    for (const host of [tls.host, plain.host]) {
      const failure = await failureOf(list(host, { username: 'ann', password: 'wrong' }))
      t.match(failure, { code: 'ERR_REGISTRY_UNREACHABLE', remedy: /username and password/ })
      t.match(failure.message, /was not reached: the proxy 127\.0\.0\.1:\d+ answered 407/)
      t.notMatch(`${failure.message} ${failure.remedy}`, /wrong|hunter2/)
    }
    proxy.status = 403
    const refused = await failureOf(list(tls.host, ann, `${proxy.address}/`))
    t.match(refused.message, /the proxy 127\.0\.0\.1:\d+ answered 403/)
    proxy.status = undefined
  })

  t.test('is not asked without it when it is down', async (t) => {
    const down = await startFakeProxy()
    await down.close()
    const before = tls.requests.length
    const failure = await failureOf(list(tls.host, {}, down.address))
    t.match(failure, {
      code: 'ERR_REGISTRY_UNREACHABLE',
      message: /was not reached: the proxy 127\.0\.0\.1:\d+ cannot be reached/,
    })
    t.equal(tls.requests.length, before)
  })
})

t.test('a registry behind the proxy that the environment names', async (t) => {
  const plain = await startFakeRegistry({ repositories })
  const proxy = await startFakeProxy({
    ...{ username: 'ann', password: PASSWORD },
    hosts: { 'registry.test': '127.0.0.1' },
  })
  const own = await startFakeProxy({ hosts: { 'registry.test': '127.0.0.1' } })
  const host = plain.host.replace(/^127\.0\.0\.1/, 'registry.test')
  const address = proxy.address.replace('//', `//ann:${PASSWORD}@`)
  const client = createRegistryClient({
    settings: [plain.host, host].map((each) => ({ host: each, insecure: true })),
    proxyFor: environmentProxy({ HTTP_PROXY: address }),
  })
  t.teardown(() => Promise.all([client.close(), plain.close(), proxy.close(), own.close()]))

  t.strictSame(await client.listTags(`${host}/acme/web`, {}), ['v1.0.0'])
  t.match(proxy.passed.splice(0), [new RegExp(`GET http://${host}/v2/acme/web`)])
  t.strictSame(await client.listTags(`${plain.host}/acme/web`, {}), ['v1.0.0'])
  t.strictSame(proxy.passed, [], 'this machine is asked directly')
  await client.listTags(`${host}/acme/web`, {
    access: access('shop/,proxy=corp', { connection: { proxy: { address: own.address } } }),
  })
  t.strictSame([proxy.passed.length, own.passed.length], [0, 1], 'that of an access goes first')

  proxy.status = 407
  const refused = await failureOf(client.listTags(`${host}/acme/web`, {}))
  t.match(refused.message, /the proxy 127\.0\.0\.1:\d+ answered 407/)
  t.notMatch(`${refused.message} ${refused.remedy}`, /hunter2/)
  const wrong = createRegistryClient({
    settings: [{ host, insecure: true }],
    proxyFor: environmentProxy({ HTTP_PROXY: `socks5://ann:${PASSWORD}@proxy` }),
  })
  t.teardown(() => wrong.close())
  const unusable = await failureOf(wrong.listTags(`${host}/acme/web`, {}))
  t.match(unusable, { message: 'HTTP_PROXY names no HTTP proxy' })
})
