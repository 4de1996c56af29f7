import t from 'tap'
import { endpointOf, locateRepository, settingsOf } from '../../src/registry/endpoint.ts'

t.test('a normalised name leads to the right place', (t) => {
  const rows = [
    ['docker.io/library/nginx', 'https://registry-1.docker.io', 'library/nginx'],
    ['ghcr.io/acme/web', 'https://ghcr.io', 'acme/web'],
    ['localhost:5000/web', 'https://localhost:5000', 'web'],
    ['[::1]:5000/acme/web', 'https://[::1]:5000', 'acme/web'],
    ['127.0.0.1/a__b/c-d.e', 'https://127.0.0.1', 'a__b/c-d.e'],
  ] as const
  for (const [name, origin, path] of rows) {
    const found = locateRepository(name, [])
    t.equal(found.endpoint.origin, origin, name)
    t.equal(found.path, path, name)
    t.equal(found.name, name)
  }
  t.end()
})

t.test('a name that could lead elsewhere is refused', (t) => {
  const names = [
    '',
    'web',
    '/web',
    'ghcr.io/',
    'ghcr.io/Acme/web',
    'ghcr.io/acme/../secret',
    'ghcr.io/acme/web?x=1',
    'ghcr.io/acme/web#x',
    'ghcr.io/acme//web',
    'ghcr.io/acme/web/',
    'ghcr.io/acme/%2e%2e/x',
    'user:password@ghcr.io/acme/web',
    'ghcr.io:99999999/acme/web',
    'ghcr.io:99999/acme/web',
    '[::::]/acme/web',
    '1.2.3.999/acme/web',
    'ghcr.io\\@other.example/acme/web',
    'ghcr.io/acme/web\n',
    '__proto__',
    '__proto__/web',
    'ghcr.io/\0',
    'ghcr.io/🦊',
    `ghcr.io/${'a'.repeat(600)}`,
  ]
  for (const name of names) {
    t.throws(
      () => locateRepository(name, []),
      { code: 'ERR_INVALID_REFERENCE' },
      JSON.stringify(name),
    )
  }
  t.end()
})

t.test('plain HTTP is for the hosts that are marked, and for no other', (t) => {
  const settings = [{ host: 'registry.example.com:5000', insecure: true }]
  const origin = (host: string) => endpointOf(host, settings).origin
  t.equal(origin('registry.example.com:5000'), 'http://registry.example.com:5000')
  t.equal(origin('registry.example.com'), 'https://registry.example.com')
  t.equal(origin('registry.example.com:5001'), 'https://registry.example.com:5001')
  t.equal(origin('other.example.com:5000'), 'https://other.example.com:5000')
  t.end()
})

t.test('the exact host wins over a wildcard, and the longer wildcard over the shorter', (t) => {
  const settings = [
    { host: '*.example.com' },
    { host: '*.eu.example.com' },
    { host: 'a.eu.example.com' },
    { host: '*.example.com:5000' },
  ]
  const rows = [
    ['a.eu.example.com', 'a.eu.example.com'],
    ['A.EU.example.com', 'a.eu.example.com'],
    ['b.eu.example.com', '*.eu.example.com'],
    ['x.b.eu.example.com', '*.eu.example.com'],
    ['eu.example.com', '*.example.com'],
    ['a.example.com:5000', '*.example.com:5000'],
    ['a.example.com:5001', undefined],
    ['example.com', undefined],
    ['evilexample.com', undefined],
    ['example.com.evil.test', undefined],
  ] as const
  for (const [host, expected] of rows) t.equal(settingsOf(host, settings)?.host, expected, host)
  t.end()
})
