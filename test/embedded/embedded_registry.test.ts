import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { startEmbeddedRegistry } from '../../src/embedded/index.ts'
import { TagwardenError } from '../../src/errors.ts'

const TAGS = {
  'acme/web': [
    'latest',
    'main-3f9c2ab-20261118093012',
    'main-b71e04d-20261119141530',
    'main-c0ffee1-20261120101500',
    'stable',
    'v1',
    'v1.0.0',
    'v1.0.1',
    'v1.1.0',
    'v1.2.0',
    'v1.2.3',
    'v1.2.3-beta.1',
    'v1.2.3-rc.1',
    'v1.2.3-rc.2',
    'v1.3',
    'v1.3.0',
    'v1.3.0-beta.1',
    'v1.3.1',
    'v1.4',
    'v1.4.0',
    'v1.4.1',
    'v1.4.2',
    'v1.5.0-rc.1',
    'v2.0.0',
    'v2.1.0',
  ],
  'acme/api': [
    '20261015.1',
    '20261022.1',
    '20261022.2',
    '20261029.1',
    '20261101.1',
    '20261101.2',
    '20261101.3',
    'latest',
    'stable',
  ],
  'acme/migrate': ['latest', 'stable', 'v1.0.0', 'v1.1.0', 'v1.2.0', 'v1.4.2', 'v2.0.0'],
  'acme/worker': [
    'latest',
    'stable',
    'v1.10.0',
    'v1.10.0-build.140',
    'v1.10.0-build.141',
    'v1.10.1-build.152',
    'v1.11.0-build.160',
    'v1.9.0',
    'v1.9.0-build.118',
    'v1.9.1-build.131',
    'v2.0.0-build.171',
  ],
}

async function start(t: Test) {
  const registry = await startEmbeddedRegistry()
  t.teardown(() => registry.close())
  const get = (path: string, method = 'GET') => fetch(`http://${registry.host}${path}`, { method })
  const read = async (path: string) => JSON.parse(await (await get(path)).text())
  return { ...registry, get, read }
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

t.test('a client finds the repositories and tags that the examples speak of', async (t) => {
  const { read } = await start(t)
  const catalog = await read('/v2/_catalog')
  t.strictSame(catalog.repositories, Object.keys(TAGS).sort())
  for (const [name, tags] of Object.entries(TAGS)) {
    const { tags: found } = await read(`/v2/${name}/tags/list`)
    const releases = found.filter((tag: string) => !tag.startsWith('sha256-'))
    t.strictSame(releases, tags, name)
  }
})

t.test('moving tags point to a release, and the signature to the signed one', async (t) => {
  const { get, read } = await start(t)
  const digest = async (tag: string) =>
    (await get(`/v2/acme/web/manifests/${tag}`, 'HEAD')).headers.get('docker-content-digest')
  t.equal(await digest('latest'), await digest('v2.1.0'))
  t.equal(await digest('stable'), await digest('v1.4.2'))
  t.equal(await digest('v1.4'), await digest('v1.4.2'))
  t.not(await digest('v1.4.1'), await digest('v1.4.2'))
  const signature = `${(await digest('v1.4.2'))?.replace(':', '-')}.sig`
  const { tags } = await read('/v2/acme/web/tags/list')
  t.ok(tags.includes(signature))
  t.equal((await get(`/v2/acme/web/manifests/${signature}`)).status, 200)
})

t.test('everything an image names is there, with the digest and size it says', async (t) => {
  const { get, read } = await start(t)
  const index = await read('/v2/acme/web/manifests/v1.4.2')
  t.strictSame(
    index.manifests.map((one: { platform: object }) => one.platform),
    [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ],
  )
  for (const child of index.manifests) {
    const bytes = await (await get(`/v2/acme/web/manifests/${child.digest}`)).bytes()
    t.equal(sha256(bytes), child.digest)
    t.equal(bytes.length, child.size)
    const manifest = JSON.parse(Buffer.from(bytes).toString())
    const [layer] = manifest.layers
    for (const blob of [manifest.config, layer]) {
      const content = await (await get(`/v2/acme/web/blobs/${blob.digest}`)).bytes()
      t.equal(sha256(content), blob.digest)
      t.equal(content.length, blob.size)
    }
    const config = await read(`/v2/acme/web/blobs/${manifest.config.digest}`)
    const blob = await (await get(`/v2/acme/web/blobs/${layer.digest}`)).bytes()
    t.strictSame(config.rootfs.diff_ids, [sha256(gunzipSync(blob))])
    t.equal(config.architecture, child.platform.architecture)
  }
})

t.test('digests are the same at every start and on every machine', async (t) => {
  const { get } = await start(t)
  const answer = await get('/v2/acme/web/manifests/v1.4.2', 'HEAD')
  t.equal(answer.headers.get('docker-content-digest'), WEB_1_4_2)
})
const WEB_1_4_2 = 'sha256:526c61b91b66bed77a9f50b3b451d9e5aa906bdc1dd0dcf3cc8c6150a6ec235a'

t.test('a layer is a gzipped tar archive that tools can read', async (t) => {
  const { get, read } = await start(t)
  const manifest = await read('/v2/acme/migrate/manifests/v1.4.2')
  const [layer] = manifest.layers
  const bytes = gunzipSync(await (await get(`/v2/acme/migrate/blobs/${layer.digest}`)).bytes())
  const header = bytes.subarray(0, 512)
  const said = Number.parseInt(header.subarray(148, 154).toString(), 8)
  header.fill(' ', 148, 156)
  t.equal(
    header.reduce((sum, byte) => sum + byte, 0),
    said,
  )
  t.equal(bytes.length % 512, 0)
  t.match(bytes.subarray(512).toString(), /^acme\/migrate v1\.4\.2 linux\/amd64\n/)
})

t.test('a tag list comes in pages when a client asks for them', async (t) => {
  const { get } = await start(t)
  const tags: string[] = []
  let path: string | undefined = '/v2/acme/worker/tags/list?n=4'
  let pages = 0
  while (path !== undefined) {
    const answer: Response = await get(path)
    tags.push(...JSON.parse(await answer.text()).tags)
    path = /^<(.+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
    pages += 1
  }
  t.strictSame(tags, TAGS['acme/worker'])
  t.equal(pages, 3)
})

t.test('what is not there is refused in the words of the specification', async (t) => {
  const { get } = await start(t)
  const rows = [
    ['/v2/acme/nothing/tags/list', 404, 'NAME_UNKNOWN'],
    ['/v2/acme/web/manifests/v9.9.9', 404, 'MANIFEST_UNKNOWN'],
    [`/v2/acme/web/manifests/sha256:${'0'.repeat(64)}`, 404, 'MANIFEST_UNKNOWN'],
    [`/v2/acme/web/blobs/sha256:${'0'.repeat(64)}`, 404, 'BLOB_UNKNOWN'],
    ['/v2/acme/web/tags/list?n=many', 400, 'PAGINATION_NUMBER_INVALID'],
    ['/v2/acme/web/tags/list?n=-1', 400, 'PAGINATION_NUMBER_INVALID'],
    ['/v2/acme/web/tags/other', 404, 'UNSUPPORTED'],
    ['/v2/__proto__/tags/list', 404, 'NAME_UNKNOWN'],
    ['/v2/acme/web/manifests/__proto__', 404, 'MANIFEST_UNKNOWN'],
    ['/v2/acme/web/manifests/%zz', 404, 'MANIFEST_UNKNOWN'],
    ['/', 404, 'UNSUPPORTED'],
    ['/v1/', 404, 'UNSUPPORTED'],
  ] as const
  for (const [path, status, code] of rows) {
    const answer = await get(path)
    t.equal(answer.status, status, path)
    t.equal(JSON.parse(await answer.text()).errors[0].code, code, path)
  }
  const write = await get('/v2/acme/web/manifests/v1.4.2', 'DELETE')
  t.equal(write.status, 405)
})

t.test('a request target that is no path is refused', async (t) => {
  const { host } = await start(t)
  const [address, port] = host.split(':')
  const socket = connect(Number(port), address)
  socket.end('GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  t.match(await text(socket), /^HTTP\/1\.1 400 /)
})

t.test('a HEAD has the headers of the GET and no body', async (t) => {
  const { get } = await start(t)
  const path = '/v2/acme/web/manifests/v1.4.2'
  const [head, body] = await Promise.all([get(path, 'HEAD'), get(path)])
  for (const field of ['content-type', 'content-length', 'docker-content-digest']) {
    t.equal(head.headers.get(field), body.headers.get(field), field)
  }
  t.equal(await head.text(), '')
  t.equal((await get('/v2/')).headers.get('docker-distribution-api-version'), 'registry/2.0')
})

t.test('a port that is taken is said, with what to do', async (t) => {
  const { host } = await start(t)
  const port = Number(host.split(':')[1])
  const failure = await startEmbeddedRegistry({ port }).catch((error) => error)
  t.ok(failure instanceof TagwardenError)
  t.match(failure, { code: 'ERR_LISTEN', remedy: /another port/ })
  t.match(failure.message, `127.0.0.1:${port} (EADDRINUSE)`)
})

t.test('an IPv6 host stands in brackets, as in an image reference', async (t) => {
  const registry = await startEmbeddedRegistry({ host: '::1' })
  t.teardown(() => registry.close())
  t.match(registry.host, /^\[::1\]:\d+$/)
  t.equal((await fetch(`http://${registry.host}/v2/`)).status, 200)
})
