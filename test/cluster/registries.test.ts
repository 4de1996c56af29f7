import { createHash } from 'node:crypto'
import t from 'tap'
import { Agent, request } from 'undici'
import { skipWithoutRegistries } from './assets.ts'
import { ACCOUNT, type Distribution, startDistribution } from './registries.ts'

const skip = skipWithoutRegistries()
const INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const basic = (password: string) =>
  `Basic ${Buffer.from(`${ACCOUNT.username}:${password}`).toString('base64')}`

/** Asks the registry; `authorization` is a header field. */
async function get(registry: Distribution, url: string, authorization?: string) {
  const dispatcher = new Agent({ connect: { ca: registry.authority } })
  const headers = { accept: `${INDEX}, ${MANIFEST}`, ...(authorization && { authorization }) }
  const place = new URL(url, registry.url)
  const {
    statusCode: status,
    headers: fields,
    body,
  } = await request(place, { dispatcher, headers })
  const bytes = Buffer.from(await body.arrayBuffer())
  await dispatcher.close()
  return { status, fields, bytes, json: () => JSON.parse(bytes.toString('utf8')) }
}

for (const version of ['v3', 'v2.8'] as const) {
  t.test(`CNCF Distribution ${version}`, { skip }, async (t) => {
    t.test('lists what was pushed and what was linked', async (t) => {
      const registry = await startDistribution({ version })
      t.teardown(() => registry.stop())
      const digest = await registry.push('acme/web', 'v1.0.0', ['linux/amd64', 'linux/arm64'])
      const many = Array.from({ length: 5000 }, (_, index) => `v2.${index}.0`)
      registry.linkTags('acme/web', many, digest)
      const list = await get(registry, '/v2/acme/web/tags/list?n=1000')
      const { tags } = list.json()
      if (version === 'v3') {
        t.equal(tags.length, 1000)
        t.match(list.fields['link'], /rel="next"/)
      } else {
        t.strictSame(tags.sort(), ['v1.0.0', ...many].sort(), 'pages came after 2.8')
      }

      for (const tag of ['v1.0.0', 'v2.4999.0']) {
        const index = await get(registry, `/v2/acme/web/manifests/${tag}`)
        t.equal(index.fields['content-type'], INDEX)
        t.equal(index.fields['docker-content-digest'], digest)
        t.equal(`sha256:${createHash('sha256').update(index.bytes).digest('hex')}`, digest)
        const platforms = index.json().manifests.map((each: { platform: object }) => each.platform)
        t.match(platforms, [{ architecture: 'amd64' }, { architecture: 'arm64' }])
      }

      const single = await registry.push('acme/web', 'v1.0.1')
      registry.linkTags('acme/web', ['v1.0.0', 'v2.0.0'], single)
      for (const [tag, expected] of [
        ['v1.0.0', single],
        ['v2.0.0', single],
        ['v2.1.0', digest],
      ]) {
        const moved = await get(registry, `/v2/acme/web/manifests/${tag}`)
        t.equal(moved.fields['docker-content-digest'], expected, `${tag} after a move`)
      }
      const manifest = await get(registry, '/v2/acme/web/manifests/v1.0.1')
      t.equal(manifest.fields['content-type'], MANIFEST)
      t.equal(manifest.fields['docker-content-digest'], single)
      for (const { digest } of [manifest.json().config, ...manifest.json().layers]) {
        const blob = await get(registry, `/v2/acme/web/blobs/${digest}`)
        t.equal(`sha256:${createHash('sha256').update(blob.bytes).digest('hex')}`, digest)
      }
    })

    t.test('with htpasswd lets in the account, over TLS', async (t) => {
      const registry = await startDistribution({ version, auth: 'htpasswd', tls: true })
      t.teardown(() => registry.stop())
      await registry.push('acme/web', 'v1.0.0')
      const path = '/v2/acme/web/tags/list'
      t.equal((await get(registry, path)).status, 401)
      t.equal((await get(registry, path, basic('guess'))).status, 401)
      const list = await get(registry, path, basic(ACCOUNT.password))
      t.strictSame(list.json(), { name: 'acme/web', tags: ['v1.0.0'] })
    })

    for (const tls of [false, true]) {
      t.test(`with a token server lets in who has a token${tls ? ', over TLS' : ''}`, async (t) => {
        const registry = await startDistribution({ version, auth: 'token', tls })
        t.teardown(() => registry.stop())
        await registry.push('acme/web', 'v1.0.0')
        const path = '/v2/acme/web/tags/list'
        const challenge = await get(registry, path)
        t.equal(challenge.status, 401)
        const field = String(challenge.fields['www-authenticate'])
        const named = Object.fromEntries(
          [...field.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
        )
        t.match(named, { scope: 'repository:acme/web:pull', realm: tls ? /^https:/ : /^http:/ })
        const ask = (scope: string, authorization?: string) =>
          get(
            registry,
            `${named['realm']}?${new URLSearchParams({ ...named, scope })}`,
            authorization,
          )
        t.equal((await ask('repository:acme/web:pull')).status, 401, 'nobody')
        const token = async (scope: string) =>
          `Bearer ${(await ask(scope, basic(ACCOUNT.password))).json().token}`
        const right = await get(registry, path, await token('repository:acme/web:pull'))
        t.strictSame(right.json(), { name: 'acme/web', tags: ['v1.0.0'] })
        const other = await get(registry, path, await token('repository:acme/other:pull'))
        t.equal(other.status, 401, 'a token for another repository')
      })
    }

    t.test('stops for good', async (t) => {
      const registry = await startDistribution({ version, auth: 'token' })
      await registry.stop()
      t.throws(() => process.kill(registry.pid, 0), { code: 'ESRCH' })
      await t.rejects(registry.push('acme/web', 'v1.0.0'), 'a push says so')
      await registry.stop()
    })
  })
}
