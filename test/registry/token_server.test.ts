import t from 'tap'
import { createAuthenticator } from '../../src/registry/authenticator.ts'
import { basicCredential } from '../../src/registry/credential.ts'
import { locateRepository } from '../../src/registry/endpoint.ts'
import type { TokenQuestion } from '../../src/registry/token_source.ts'
import { failureOf } from './pair.ts'

const NOTHING = { header: undefined, withCredentials: false }

/** Answers a challenge of that registry; every token question is noted. */
function challenged(host: string, challenge: string, insecure = false) {
  const asked: TokenQuestion[] = []
  const credential = basicCredential('ann', 'p', 'the test')
  const authenticator = createAuthenticator(
    { find: async () => credential, forget: () => {} },
    {
      async get(question) {
        asked.push(question)
        return 'token'
      },
      forget: () => {},
    },
  )
  const repository = locateRepository(`${host}/acme/web`, [
    { host, insecure, auth: { dockerConfig: 'unused', tokenServer: 'sso.partner.test:8443' } },
  ])
  const answer = authenticator.answer(repository, 'pull', challenge, NOTHING, undefined)
  return { answer, asked, authenticator }
}

t.test(
  'credentials go to token servers of the own domain and to the one that is named',
  async (t) => {
    const rows = [
      ['registry.example.com', 'https://registry.example.com/token'],
      ['registry.example.com', 'https://auth.example.com/token'],
      ['registry.example.com:5000', 'https://example.com:5001/token'],
      ['example.com', 'https://auth.eu.example.com/token'],
      ['docker.io', 'https://auth.docker.io/token'],
      ['registry.acme.co.uk', 'https://auth.acme.co.uk/token'],
      ['localhost:5000', 'https://localhost:5001/token'],
      ['127.0.0.1:5000', 'https://127.0.0.1:5001/token'],
      ['[::1]:5000', 'https://[::1]:5001/token'],
      ['registry.example.com', 'https://sso.partner.test:8443/token'],
    ] as const
    for (const [host, realm] of rows) {
      const { answer, asked } = challenged(host, `Bearer realm="${realm}"`)
      t.match(await answer, { header: 'Bearer token', withCredentials: true }, realm)
      t.equal(asked[0]?.realm.href, realm)
    }
  },
)

t.test('credentials go to no other token server', async (t) => {
  const rows = [
    ['registry.example.com', 'https://auth.example.org/token'],
    ['registry.example.com', 'https://registry.example.com.evil.test/token'],
    ['registry.example.com', 'https://evilexample.com/token'],
    ['registry.example.com', 'https://registry.example.com@evil.test/token'],
    ['registry.example.com', 'https://sso.partner.test/token'],
    ['registry.example.com', 'https://evil.test/?registry.example.com'],
    ['registry.acme.co.uk', 'https://auth.evil.co.uk/token'],
    ['10.0.0.1:5000', 'https://10.0.0.2:5000/token'],
    ['10.0.0.1:5000', 'https://1.0.0.1:5000/token'],
    ['localhost:5000', 'https://127.0.0.1:5000/token'],
    ['[::1]:5000', 'https://[::2]:5000/token'],
    ['registry.example.com', 'http://registry.example.com/token'],
  ] as const
  for (const [host, realm] of rows) {
    const { answer, asked } = challenged(host, `Bearer realm="${realm}"`)
    const failure = await failureOf(answer)
    t.equal(failure.code, 'ERR_REGISTRY_REDIRECT', realm)
    t.ok(failure.remedy)
    t.strictSame(asked, [])
  }
})

t.test('a token server without TLS is for registries without TLS', async (t) => {
  const { answer } = challenged('localhost:5000', 'Bearer realm="http://localhost:5001/t"', true)
  t.match(await answer, { header: 'Bearer token' })
})

t.test('what stands in the realm beside the address is kept, except for a login', async (t) => {
  const challenge = 'Bearer realm="https://u:p@localhost/t?account=x#y",service="s"'
  const { answer, asked } = challenged('localhost', challenge)
  await answer
  t.equal(asked[0]?.realm.href, 'https://localhost/t?account=x')
  t.equal(asked[0]?.service, 's')
})

t.test('the scope is the one that the registry asks for', async (t) => {
  const rows = [
    ['', 'repository:acme/web:pull'],
    [',scope=""', 'repository:acme/web:pull'],
    [',scope="repository:acme/web:metadata_read"', 'repository:acme/web:metadata_read'],
    [',scope="repository:acme/web:pull,push"', 'repository:acme/web:pull,push'],
    [
      ',scope="repository:acme/web:pull repository:acme/base:pull"',
      'repository:acme/web:pull repository:acme/base:pull',
    ],
    [',scope="registry:catalog:*"', 'registry:catalog:*'],
  ] as const
  for (const [parameter, scope] of rows) {
    const { answer, asked } = challenged(
      'localhost',
      `Bearer realm="https://localhost/t"${parameter}`,
    )
    await answer
    t.equal(asked[0]?.scope, scope)
  }
})

t.test('a challenge that asks for more than the repository is not used for another', async (t) => {
  const other = locateRepository('localhost/acme/api', [])
  const simple = challenged('localhost', 'Bearer realm="https://localhost/t"')
  await simple.answer
  await simple.authenticator.remembered(other, 'pull', undefined)
  t.equal(simple.asked[1]?.scope, 'repository:acme/api:pull')
  t.equal(
    await simple.authenticator.remembered(other, 'tags', undefined).then((a) => a.header),
    undefined,
  )

  const scope = 'scope="repository:acme/web:pull repository:acme/base:pull"'
  const broad = challenged('localhost', `Bearer realm="https://localhost/t",${scope}`)
  await broad.answer
  t.strictSame(await broad.authenticator.remembered(other, 'pull', undefined), NOTHING)
})

t.test('a challenge of a kind that is not known is left alone', async (t) => {
  for (const challenge of ['', 'Negotiate', 'Digest realm="x"', '🦊']) {
    t.equal(await challenged('localhost', challenge).answer, undefined, challenge)
  }
})
