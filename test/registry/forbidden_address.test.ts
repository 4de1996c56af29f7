import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { guardedLookup } from '../../src/registry/forbidden_address.ts'
import { createRegistryClient } from '../../src/registry/index.ts'
import { failureOf } from './pair.ts'

const REFUSED = {
  code: 'ERR_REGISTRY_UNREACHABLE',
  message: /is at a link-local address or a cloud's metadata service/,
}

t.test('no registry is asked at a link-local address, however it is written', async (t) => {
  const client = createRegistryClient({ settings: [{ host: '*.254', insecure: true }] })
  t.teardown(() => client.close())
  const hosts = [
    '169.254.169.254',
    '169.254.169.254:80',
    '0xa9.254.169.254',
    '169.16689662',
    '[fe80::1]:5000',
    '[fd00:ec2::254]',
    '[::ffff:a9fe:a9fe]',
    '100.100.100.200',
  ]
  for (const host of hosts) {
    t.match(await failureOf(client.listTags(`${host}/acme/web`, {})), REFUSED, host)
    t.match(await failureOf(client.resolve(`${host}/acme/web`, 'v1', {})), REFUSED, host)
  }
})

t.test(
  'a registry that names the metadata service as its token server gets no token',
  async (t) => {
    const asked: (string | undefined)[] = []
    const server = createServer((request, response) => {
      asked.push(request.headers.authorization)
      const realm = 'http://169.254.169.254/metadata/identity/oauth2/token?resource=x'
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = createRegistryClient({ settings: [{ host, insecure: true }] })
    t.teardown(() => Promise.all([client.close(), new Promise((resolve) => server.close(resolve))]))
    t.match(await failureOf(client.listTags(`${host}/acme/web`, {})), REFUSED)
    t.strictSame(asked, [undefined])
  },
)

t.test('a proxy that an access names is none at a link-local address either', async (t) => {
  const client = createRegistryClient({ settings: [] })
  t.teardown(() => client.close())
  const proxy = { address: 'http://169.254.169.254:80' }
  const access = { id: 'shop/,proxy=p', version: '1', connection: { proxy } }
  t.match(await failureOf(client.listTags('registry.test/acme/web', { access })), REFUSED)
})

t.test('a name that leads to a link-local address is not followed', async (t) => {
  const answers: Record<string, { address: string; family: number }[]> = {
    good: [
      { address: '192.0.2.7', family: 4 },
      { address: '2001:db8::7', family: 6 },
    ],
    mixed: [
      { address: '192.0.2.7', family: 4 },
      { address: '169.254.169.254', family: 4 },
    ],
    six: [{ address: 'fe80::1%eth0', family: 6 }],
    mapped: [{ address: '::ffff:169.254.169.254', family: 6 }],
  }
  const lookup = guardedLookup(((name: string, _: object, callback: CallableFunction) =>
    answers[name]
      ? callback(null, answers[name])
      : callback(Object.assign(new Error(), { code: 'ENOTFOUND' }))) as never)
  const look = (name: string, all: boolean) =>
    new Promise<unknown>((resolve) =>
      lookup(name, { all }, (error, address) => resolve(error ?? address)),
    )
  t.strictSame(await look('good', true), answers['good'])
  t.equal(await look('good', false), '192.0.2.7')
  t.match(await look('missing', true), { code: 'ENOTFOUND' })
  for (const name of ['mixed', 'six', 'mapped']) {
    t.match(await look(name, true), REFUSED, name)
    t.match(await look(name, false), REFUSED, name)
  }
})
