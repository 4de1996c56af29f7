import { createHash } from 'node:crypto'
import t from 'tap'
import { addManifest, createStoredRepository } from '../../src/embedded/index.ts'
import { startFakeRegistry } from '../fakes/registry.ts'
import { failureOf, startPair } from './pair.ts'

const repositories = { 'acme/web': ['v1.0.0', 'v1.1.0'] }
const INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws'

t.test('a tag resolves to the digest of the index, with one HEAD', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  t.strictSame(await client.resolve(name('acme/web'), 'v1.0.0', {}), {
    digest: fake.digest('acme/web', 'v1.0.0'),
    mediaType: INDEX,
    platforms: undefined,
  })
  t.match(fake.requests, [{ method: 'HEAD', path: '/v2/acme/web/manifests/v1.0.0' }])
  const accept = fake.requests[0]?.headers.accept ?? ''
  t.match(accept, INDEX)
  t.match(accept, 'application/vnd.docker.distribution.manifest.list.v2+json')
})

t.test('platforms of an index come without its attestations', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  const found = await client.resolve(name('acme/web'), 'v1.0.0', { platforms: true })
  t.strictSame(found.platforms, ['linux/amd64', 'linux/arm64'])
  t.equal(found.digest, fake.digest('acme/web', 'v1.0.0'))

  const repository = createStoredRepository()
  fake.repositories.set('acme/odd', repository)
  const child = (platform: unknown) => ({
    mediaType: MANIFEST,
    digest: 'sha256:x',
    size: 1,
    platform,
  })
  const { digest } = addManifest(repository, INDEX, {
    schemaVersion: 2,
    manifests: [
      child({ os: 'linux', architecture: 'arm', variant: 'v7' }),
      child({ os: 'linux', architecture: 'arm', variant: 'v7' }),
      child({ os: 'unknown', architecture: 'unknown' }),
      child({ os: 'windows', architecture: 'amd64', 'os.version': '10.0' }),
      child({ os: 'a/b', architecture: 'amd64' }),
      child({ os: 'linux' }),
      child(undefined),
      null,
    ],
  })
  const odd = await client.resolve(name('acme/odd'), digest, { platforms: true })
  t.strictSame(odd.platforms, ['linux/arm/v7', 'windows/amd64'])
})

t.test('the platform of a single image comes from its config', async (t) => {
  const options = { repositories, platforms: ['linux/arm64/v8'] }
  const { client, fake, name } = await startPair(t, options)
  const found = await client.resolve(name('acme/web'), 'v1.0.0', { platforms: true })
  t.match(found, { mediaType: MANIFEST, platforms: ['linux/arm64'] })
  t.match(fake.requests.at(-1)?.path, /\/v2\/acme\/web\/blobs\/sha256:/)
})

t.test('an artifact without a config has no platform', async (t) => {
  const { client, fake, name } = await startPair(t)
  const repository = createStoredRepository()
  fake.repositories.set('acme/chart', repository)
  const { digest } = addManifest(repository, MANIFEST, { schemaVersion: 2, layers: [] })
  const found = await client.resolve(name('acme/chart'), digest, { platforms: true })
  t.strictSame(found.platforms, [])
})

t.test('a registry that does not say the digest is asked for the content', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  const digest = fake.digest('acme/web', 'v1.0.0')
  for (const digestHeader of ['', 'sha256:short', 'md5:00', `sha256:${'A'.repeat(64)}`, '🦊']) {
    fake.faults = { digestHeader: digestHeader === '🦊' ? 'fox' : digestHeader }
    fake.requests.length = 0
    t.equal((await client.resolve(name('acme/web'), 'v1.0.0', {})).digest, digest, digestHeader)
    t.strictSame(
      fake.requests.map(({ method }) => method),
      ['HEAD', 'GET'],
    )
  }
})

t.test('a registry or proxy that knows no HEAD is asked with GET', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  for (const headStatus of [400, 401, 403, 405, 406, 501]) {
    fake.faults = { headStatus }
    const found = await client.resolve(name('acme/web'), 'v1.0.0', {})
    t.equal(found.digest, fake.digest('acme/web', 'v1.0.0'), String(headStatus))
  }
  fake.faults = { contentType: 'text/plain' }
  t.match(await client.resolve(name('acme/web'), 'v1.0.0', {}), { mediaType: INDEX })
})

t.test('what a digest names is fetched and must hash to it', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  const digest = fake.digest('acme/web', 'v1.0.0')
  t.match(await client.resolve(name('acme/web'), digest, {}), { digest, mediaType: INDEX })
  t.match(fake.requests, [{ method: 'GET' }])

  fake.faults = { damage: true, digestHeader: '' }
  const failure = await failureOf(client.resolve(name('acme/web'), digest, {}))
  t.match(failure, { code: 'ERR_REGISTRY_DIGEST', remedy: /on its way/ })
  t.match(failure.message, `instead of ${digest}`)
})

t.test('sha512 digests are checked with sha512', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  const repository = fake.repositories.get('acme/web')!
  const stored = repository.manifests.get(fake.digest('acme/web', 'v1.0.0'))!
  const digest = `sha512:${createHash('sha512').update(stored.bytes).digest('hex')}`
  repository.manifests.set(digest, { ...stored, digest })
  t.equal((await client.resolve(name('acme/web'), digest, {})).digest, digest)
  fake.faults = { damage: true }
  t.equal(
    (await failureOf(client.resolve(name('acme/web'), digest, {}))).code,
    'ERR_REGISTRY_DIGEST',
  )
})

t.test('a wrong digest in the header is not believed over the content', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  fake.faults = { digestHeader: `sha256:${'0'.repeat(64)}` }
  const failure = await failureOf(client.resolve(name('acme/web'), 'v1.0.0', { platforms: true }))
  t.equal(failure.code, 'ERR_REGISTRY_DIGEST')
})

t.test('a config that was changed on its way is refused', async (t) => {
  const options = { repositories, platforms: ['linux/amd64'] }
  const { client, fake, name } = await startPair(t, options)
  fake.faults = { damage: true, only: /blobs/ }
  const failure = await failureOf(client.resolve(name('acme/web'), 'v1.0.0', { platforms: true }))
  t.equal(failure.code, 'ERR_REGISTRY_DIGEST')
})

t.test('a config kept elsewhere is fetched there, without the token', async (t) => {
  const storage = await startFakeRegistry()
  t.teardown(() => storage.close())
  const options = {
    repositories,
    platforms: ['linux/amd64'],
    authentication: { kind: 'token' },
  } as const
  const { client, fake, name } = await startPair(t, options)
  storage.repositories.set('acme/web', fake.repositories.get('acme/web')!)
  const manifest = fake.repositories.get('acme/web')!.manifests
  const [{ config }] = [...manifest.values()].map(({ bytes }) => JSON.parse(bytes.toString()))
  fake.faults = { blobRedirect: `${storage.origin}/v2/acme/web/blobs/${config.digest}` }
  const found = await client.resolve(name('acme/web'), 'v1.0.0', { platforms: true })
  t.strictSame(found.platforms, ['linux/amd64'])
  t.equal(storage.requests.length, 1)
  t.equal(storage.requests[0]?.headers.authorization, undefined)
})

t.test('manifests that cannot be used are refused, each with its reason', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  const two = { schemaVersion: 2 }
  const rows = [
    [SCHEMA_1, { schemaVersion: 1 }, /schema 1/],
    ['application/json', { schemaVersion: 1, fsLayers: [] }, /schema 1/],
    [INDEX, { ...two, manifests: [], layers: [] }, /neither a manifest nor an index/],
    [MANIFEST, { ...two }, /neither a manifest nor an index/],
    [MANIFEST, { schemaVersion: '2', config: {} }, /neither a manifest nor an index/],
    [MANIFEST, { config: {}, layers: [] }, /neither a manifest nor an index/],
    [MANIFEST, { ...two, mediaType: INDEX, manifests: [] }, /says that it is/],
    [MANIFEST, { ...two, mediaType: 'a\nb', layers: [] }, /says that it is something else/],
    [MANIFEST, { ...two, manifests: [] }, /not what its media type/],
    [INDEX, { ...two, config: {}, layers: [] }, /not what its media type/],
    [INDEX, [], /JSON object/],
  ] as const
  for (const [type, content, expected] of rows) {
    const { digest } = addManifest(fake.repositories.get('acme/web')!, type, content)
    const failure = await failureOf(client.resolve(name('acme/web'), digest, {}))
    t.match(failure, { code: 'ERR_REGISTRY_RESPONSE', message: expected }, JSON.stringify(content))
  }
})

t.test('a tag on a schema 1 manifest is refused at the HEAD already', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  fake.faults = { contentType: SCHEMA_1 }
  const failure = await failureOf(client.resolve(name('acme/web'), 'v1.0.0', {}))
  t.match(failure, { code: 'ERR_REGISTRY_RESPONSE', remedy: /Push the image again/ })
  t.equal(fake.requests.length, 1)
})

t.test('a huge manifest is cut off at the limit', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  fake.faults = { hugeManifest: 5 * 1024 * 1024 }
  const failure = await failureOf(client.resolve(name('acme/web'), 'v1.0.0', { platforms: true }))
  t.match(failure, { code: 'ERR_REGISTRY_LIMIT', message: /4194304 bytes/ })
})

t.test('a login page is not taken for a manifest', async (t) => {
  const { client, name } = await startPair(t, { repositories, faults: { html: true } })
  const failure = await failureOf(client.resolve(name('acme/web'), 'v1.0.0', {}))
  t.match(failure, { code: 'ERR_REGISTRY_RESPONSE', message: /text\/html/ })
})

t.test('a tag that is not there is said to be not there', async (t) => {
  const { client, name } = await startPair(t, { repositories })
  const plain = await failureOf(client.resolve(name('acme/web'), 'v9', {}))
  t.match(plain, { code: 'ERR_REGISTRY_NOT_FOUND', message: /acme\/web:v9/ })
  const full = await failureOf(client.resolve(name('acme/web'), 'v9', { platforms: true }))
  t.match(full.message, /MANIFEST_UNKNOWN/)
  const missing = `sha256:${'0'.repeat(64)}`
  const digest = await failureOf(client.resolve(name('acme/web'), missing, {}))
  t.match(digest.message, `acme/web@${missing}`)
})

t.test('a reference that is neither tag nor digest never reaches the registry', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  const references = [
    '',
    '..',
    '../../_catalog',
    'a/b',
    'v1?x',
    '-v',
    'sha256:',
    'sha1:00',
    `md5:${'0'.repeat(32)}`,
    'x'.repeat(300),
    'v\0',
    '🦊',
    'v1@x',
  ]
  for (const reference of references) {
    const failure = await failureOf(client.resolve(name('acme/web'), reference, {}))
    t.equal(failure.code, 'ERR_INVALID_REFERENCE', JSON.stringify(reference))
  }
  t.equal((await failureOf(client.resolve('acme', 'v1', {}))).code, 'ERR_INVALID_REFERENCE')
  t.strictSame(fake.requests, [])
  const proto = await failureOf(client.resolve(name('acme/web'), '__proto__', {}))
  t.equal(proto.code, 'ERR_REGISTRY_NOT_FOUND')
})
