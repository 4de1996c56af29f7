import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createRegistryClient } from '../../src/registry/index.ts'
import { startFakeRegistry } from '../fakes/registry.ts'
import { createFakeAuthority } from '../fakes/registry_authority.ts'
import { failureOf } from './pair.ts'

const repositories = { 'acme/web': ['v1.0.0'] }

t.test('a registry with a private authority', async (t) => {
  const fake = await startFakeRegistry({
    repositories,
    tls: true,
    authentication: { kind: 'token' },
  })
  t.teardown(() => fake.close())
  const folder = t.testdir({ 'ca.pem': fake.authority, 'empty.pem': '', 'bad.pem': BAD_PEM })
  const name = `${fake.host}/acme/web`
  const connect = (certificateAuthority?: string, host = fake.host) => {
    const client = createRegistryClient({ settings: [{ host, certificateAuthority }] })
    t.teardown(() => client.close())
    return client
  }

  t.test('is trusted with its certificate, the token server too', async (t) => {
    const client = connect(join(folder, 'ca.pem'))
    t.strictSame(await client.listTags(name, {}), ['v1.0.0'])
    t.equal(fake.tokens.given.length, 1)
  })

  t.test('is refused without it, and the remedy is named', async (t) => {
    const failure = await failureOf(connect().listTags(name, {}))
    t.match(failure, { code: 'ERR_REGISTRY_UNREACHABLE', remedy: /certificateAuthority/ })
    t.match(failure.message, /has a certificate .* not known/)
  })

  t.test('is refused with the authority of another', async (t) => {
    await writeFile(join(folder, 'other.pem'), createFakeAuthority().certificate)
    const failure = await failureOf(connect(join(folder, 'other.pem')).listTags(name, {}))
    t.equal(failure.code, 'ERR_REGISTRY_UNREACHABLE')
  })

  t.test('is refused under a name that its certificate lacks', async (t) => {
    const host = fake.host.replace('127.0.0.1', '127.0.0.2')
    const other = fake.host.replace('127.0.0.1', '[::1]')
    t.not(host, other)
    const client = connect(join(folder, 'ca.pem'), host)
    const failure = await failureOf(client.listTags(`${host}/acme/web`, {}))
    t.equal(failure.code, 'ERR_REGISTRY_UNREACHABLE')
  })

  t.test('is read with a new certificate file without a restart', async (t) => {
    const path = join(folder, 'rotated.pem')
    await writeFile(path, createFakeAuthority().certificate)
    const client = connect(path)
    await failureOf(client.listTags(name, {}))
    await writeFile(path, `${fake.authority}\n# renewed\n`)
    t.strictSame(await client.listTags(name, {}), ['v1.0.0'])
  })

  t.test('a certificate file that cannot be used is named', async (t) => {
    for (const file of ['empty.pem', 'bad.pem', 'missing.pem']) {
      const failure = await failureOf(connect(join(folder, file)).listTags(name, {}))
      t.equal(failure.code, 'ERR_CERTIFICATE', file)
      t.match(failure.message, file)
      t.ok(failure.remedy)
    }
  })

  t.test('plain HTTP to it is told on', async (t) => {
    const client = createRegistryClient({ settings: [{ host: fake.host, insecure: true }] })
    t.teardown(() => client.close())
    const failure = await failureOf(client.listTags(name, {}))
    t.match(failure.code, /ERR_REGISTRY_(RESPONSE|UNREACHABLE)/)
  })
})

t.test('a token server without TLS gets nothing from a registry with TLS', async (t) => {
  const server = await startFakeRegistry({ authentication: { kind: 'token' } })
  const realm = `${server.origin}/token`
  const fake = await startFakeRegistry({
    repositories,
    tls: true,
    authentication: { kind: 'token', realm },
  })
  const certificateAuthority = join(t.testdir({ 'ca.pem': fake.authority }), 'ca.pem')
  const client = createRegistryClient({ settings: [{ host: fake.host, certificateAuthority }] })
  t.teardown(() => Promise.all([client.close(), server.close(), fake.close()]))
  const failure = await failureOf(client.listTags(`${fake.host}/acme/web`, {}))
  t.match(failure, { code: 'ERR_REGISTRY_REDIRECT', message: /without TLS/ })
  t.strictSame(server.requests, [])
})

t.test('a blob is not fetched without TLS for a registry with TLS', async (t) => {
  const storage = await startFakeRegistry({ repositories })
  const fake = await startFakeRegistry({
    repositories,
    tls: true,
    platforms: ['linux/amd64'],
    faults: { blobRedirect: `${storage.origin}/blob` },
  })
  const certificateAuthority = join(t.testdir({ 'ca.pem': fake.authority }), 'ca.pem')
  const client = createRegistryClient({ settings: [{ host: fake.host, certificateAuthority }] })
  t.teardown(() => Promise.all([client.close(), storage.close(), fake.close()]))
  const work = client.resolve(`${fake.host}/acme/web`, 'v1.0.0', { platforms: true })
  t.match(await failureOf(work), { code: 'ERR_REGISTRY_REDIRECT', message: /without TLS/ })
  t.strictSame(storage.requests, [])
})

const BAD_PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
