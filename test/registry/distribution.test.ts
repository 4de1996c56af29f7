import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createRegistryClient, type RegistrySettings } from '../../src/registry/index.ts'
import { skipWithoutRegistries } from '../cluster/assets.ts'
import { ACCOUNT, type Distribution, startDistribution } from '../cluster/registries.ts'
import { base64, dockerConfig, failureOf } from './pair.ts'

const skip = skipWithoutRegistries()
const INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

function connect(t: Test, registry: Distribution, settings: Partial<RegistrySettings>) {
  const asked: string[] = []
  const client = createRegistryClient({
    settings: [{ host: registry.host, ...settings }],
    before: (host) => {
      asked.push(host)
    },
  })
  t.teardown(() => client.close())
  return { client, asked, name: (path: string) => `${registry.host}/${path}` }
}

for (const version of ['v3', 'v2.8'] as const) {
  t.test(`CNCF Distribution ${version}, plain`, { skip }, async (t) => {
    const registry = await startDistribution({ version })
    t.teardown(() => registry.stop())
    const { client, asked, name } = connect(t, registry, { insecure: true })
    const web = await registry.push('acme/web', 'v1.0.0', ['linux/amd64', 'linux/arm64'])
    const migrate = await registry.push('acme/migrate', 'v1.0.0', ['linux/arm64'])

    t.test('lists 2,500 tags, in pages where it has pages', async (t) => {
      const tags = Array.from({ length: 2499 }, (_, index) => `v2.${index}.0`)
      registry.linkTags('acme/web', tags, web)
      asked.length = 0
      const found = await client.listTags(name('acme/web'), {})
      t.strictSame(found.sort(), ['v1.0.0', ...tags].sort())
      t.equal(asked.length, version === 'v3' ? 3 : 1)
    })

    t.test('resolves tags and digests, with and without platforms', async (t) => {
      const index = { digest: web, mediaType: INDEX }
      const both = ['linux/amd64', 'linux/arm64']
      const single = { digest: migrate, mediaType: MANIFEST }
      const rows = [
        ['acme/web', 'v1.0.0', false, { ...index, platforms: undefined }],
        ['acme/web', web, false, { ...index, platforms: undefined }],
        ['acme/web', 'v1.0.0', true, { ...index, platforms: both }],
        ['acme/web', web, true, { ...index, platforms: both }],
        ['acme/migrate', 'v1.0.0', false, { ...single, platforms: undefined }],
        ['acme/migrate', migrate, true, { ...single, platforms: ['linux/arm64'] }],
      ] as const
      for (const [path, reference, platforms, expected] of rows) {
        const found = await client.resolve(name(path), reference, { platforms })
        t.strictSame(found, expected, `${path} ${reference}`)
      }
    })

    t.test('says what is not there', async (t) => {
      const work = [
        client.listTags(name('acme/nothing'), {}),
        client.resolve(name('acme/web'), 'v9.9.9', {}),
        client.resolve(name('acme/web'), 'v9.9.9', { platforms: true }),
        client.resolve(name('acme/web'), `sha256:${'0'.repeat(64)}`, {}),
      ]
      for (const failure of await Promise.all(work.map(failureOf))) {
        t.match(failure, { code: 'ERR_REGISTRY_NOT_FOUND', message: registry.host })
      }
    })
  })

  t.test(`CNCF Distribution ${version}, with TLS and a password`, { skip }, async (t) => {
    const registry = await startDistribution({ version, auth: 'htpasswd', tls: true })
    t.teardown(() => registry.stop())
    const digest = await registry.push('acme/web', 'v1.0.0')
    const login = { auth: base64(`${ACCOUNT.username}:${ACCOUNT.password}`) }
    const folder = t.testdir({
      'ca.pem': registry.authority ?? '',
      'right.json': dockerConfig(registry.host, login),
      'wrong.json': dockerConfig(registry.host, { auth: base64('reader:guess') }),
    })
    const certificateAuthority = join(folder, 'ca.pem')
    const auth = (file: string) => ({ dockerConfig: join(folder, file) })

    t.test('is read with its authority and the right password', async (t) => {
      const settings = { certificateAuthority, auth: auth('right.json') }
      const { client, asked, name } = connect(t, registry, settings)
      t.strictSame(await client.listTags(name('acme/web'), {}), ['v1.0.0'])
      t.equal(asked.length, 2, 'one challenge')
      t.equal((await client.resolve(name('acme/web'), 'v1.0.0', {})).digest, digest)
    })

    t.test('refuses a wrong and a missing password, each with its remedy', async (t) => {
      const wrong = connect(t, registry, { certificateAuthority, auth: auth('wrong.json') })
      const refused = await failureOf(wrong.client.listTags(wrong.name('acme/web'), {}))
      t.match(refused, { code: 'ERR_REGISTRY_UNAUTHORIZED', remedy: /again/ })
      const none = connect(t, registry, { certificateAuthority })
      const missing = await failureOf(none.client.resolve(none.name('acme/web'), 'v1.0.0', {}))
      t.match(missing, { code: 'ERR_REGISTRY_UNAUTHORIZED', remedy: /auth\.dockerConfig/ })
    })

    t.test('is not trusted without its authority', async (t) => {
      const { client, name } = connect(t, registry, { auth: auth('right.json') })
      const failure = await failureOf(client.listTags(name('acme/web'), {}))
      t.match(failure, { code: 'ERR_REGISTRY_UNREACHABLE', remedy: /certificateAuthority/ })
    })

    t.test('is told on when it is spoken to without TLS', async (t) => {
      const { client, name } = connect(t, registry, { insecure: true })
      const failure = await failureOf(client.listTags(name('acme/web'), {}))
      t.match(failure, { code: 'ERR_REGISTRY_RESPONSE', remedy: /Leave out insecure/ })
    })
  })
}
