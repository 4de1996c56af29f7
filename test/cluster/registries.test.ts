import t from 'tap'
import { skipWithoutRegistries } from './assets.ts'
import { ACCOUNT, startDistribution } from './registries.ts'

const skip = skipWithoutRegistries()
const basic = `Basic ${Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')}`

for (const version of ['v3', 'v2.8'] as const) {
  t.test(`CNCF Distribution ${version} lists what was pushed and linked`, { skip }, async (t) => {
    const registry = await startDistribution({ version, auth: 'htpasswd' })
    t.teardown(() => registry.stop())
    const digest = await registry.push('acme/web', 'v1.0.0', ['linux/amd64', 'linux/arm64'])
    registry.linkTags('acme/web', ['v1.0.1', 'v1.0.2'], digest)
    const get = (path: string, headers = {}) => fetch(`${registry.url}${path}`, { headers })
    t.equal((await get('/v2/acme/web/tags/list')).status, 401)
    const list = await get('/v2/acme/web/tags/list', { authorization: basic })
    t.strictSame(await list.json(), { name: 'acme/web', tags: ['v1.0.0', 'v1.0.1', 'v1.0.2'] })
    const manifest = await get('/v2/acme/web/manifests/v1.0.2', {
      authorization: basic,
      accept: 'application/vnd.oci.image.index.v1+json',
    })
    t.equal(manifest.headers.get('docker-content-digest'), digest)
    t.equal(((await manifest.json()) as { manifests: unknown[] }).manifests.length, 2)
  })
}
