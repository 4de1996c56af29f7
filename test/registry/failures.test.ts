import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createRegistryClient } from '../../src/registry/index.ts'
import { type FakeRegistry, startFakeRegistry } from '../fakes/registry.ts'
import { failureOf, startPair } from './pair.ts'

const repositories = { 'acme/web': ['v1.0.0'] }

/** Waits until this many requests have come in. */
async function asked(fake: FakeRegistry, count: number): Promise<void> {
  while (fake.requests.length < count) await delay(5)
}

/** A server that says this to whoever connects; a client for it. */
async function startRaw(t: Test, words: string | undefined, insecure = true, timeouts = {}) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    if (words === undefined) return
    socket.once('data', () => socket.end(words))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = createRegistryClient({
    settings: [{ host, insecure }],
    timeouts,
    clock: { now: Date.now, sleep: async () => {} },
  })
  t.teardown(async () => {
    await client.close()
    server.close()
  })
  return { host, client, name: `${host}/acme/web` }
}

t.test('a registry that is not there is said to refuse the connection', async (t) => {
  const gone = await startFakeRegistry()
  await gone.close()
  const client = createRegistryClient({ settings: [{ host: gone.host, insecure: true }] })
  t.teardown(() => client.close())
  const failure = await failureOf(client.listTags(`${gone.host}/acme/web`, {}))
  t.match(failure, { code: 'ERR_REGISTRY_UNREACHABLE', remedy: /name and port/ })
  t.equal(failure.message, `${gone.host} refused the connection (ECONNREFUSED)`)
})

t.test('a name that does not resolve is said', async (t) => {
  const client = createRegistryClient({ settings: [] })
  t.teardown(() => client.close())
  const failure = await failureOf(client.listTags('registry.invalid/acme/web', {}))
  t.match(failure, { code: 'ERR_REGISTRY_UNREACHABLE' })
  t.match(failure.message, /registry\.invalid is a name that cannot be resolved/)
})

t.test('a registry that hangs ends with the timeout', async (t) => {
  const options = { repositories, faults: { hang: true } }
  const { client, fake, name } = await startPair(t, options, {}, { timeouts: { headers: 1_000 } })
  const failure = await failureOf(client.resolve(name('acme/web'), 'v1.0.0', {}))
  t.match(failure, { code: 'ERR_REGISTRY_TIMEOUT' })
  t.equal(failure.message, `${fake.host} did not answer within 1000 ms`)
  t.equal(fake.requests.length, 1, 'and is not asked again')
})

t.test('a registry that stops in the middle of a body ends with the timeout', async (t) => {
  const options = { repositories, faults: { stall: true } }
  const { client, name } = await startPair(t, options, {}, { timeouts: { headers: 1_000 } })
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_TIMEOUT', message: /in the middle/ })
})

t.test('an answer that drips in has a time of its own', async (t) => {
  const options = { repositories, faults: { stall: true } }
  const { client, name } = await startPair(t, options, {}, { timeouts: { answer: 100 } })
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_TIMEOUT', message: /within 100 ms/ })
})

t.test('a caller who stops waiting is let go at once, wherever the request is', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  for (const faults of [{ hang: true }, { stall: true }, { delay: 60_000 }]) {
    fake.faults = faults
    fake.requests.length = 0
    const controller = new AbortController()
    const work = failureOf(client.listTags(name('acme/web'), { signal: controller.signal }))
    await asked(fake, 1)
    setTimeout(() => controller.abort(new Error('enough')), 50)
    const failure = await work
    t.match(failure, { code: 'ERR_REGISTRY_TIMEOUT', message: /stopped waiting/ })
  }
  fake.requests.length = 0
  const signal = AbortSignal.abort()
  t.equal(
    (await failureOf(client.listTags(name('acme/web'), { signal }))).code,
    'ERR_REGISTRY_TIMEOUT',
  )
  t.strictSame(fake.requests, [])
})

t.test('a caller who stops waiting during a pause is let go', async (t) => {
  const fake = await startFakeRegistry({
    repositories,
    faults: { statuses: [503], retryAfter: '2' },
  })
  const client = createRegistryClient({ settings: [{ host: fake.host, insecure: true }] })
  t.teardown(async () => {
    await client.close()
    await fake.close()
  })
  const controller = new AbortController()
  const { signal } = controller
  const work = failureOf(client.listTags(`${fake.host}/acme/web`, { signal }))
  await asked(fake, 1)
  setTimeout(() => controller.abort(), 100)
  const failure = await work
  t.match(failure, { code: 'ERR_REGISTRY_TIMEOUT', message: /stopped waiting/ })
  t.equal(fake.requests.length, 1)
})

t.test('broken connections and 5xx answers are tried again, twice', async (t) => {
  const { client, fake, name, pauses } = await startPair(t, { repositories })
  for (const faults of [{ resets: 2 }, { statuses: [503, 500] }, { resets: 1, statuses: [502] }]) {
    fake.faults = faults
    pauses.length = 0
    t.strictSame(await client.listTags(name('acme/web'), {}), ['v1.0.0'])
    const [first = 0, second = 0] = pauses
    t.ok(first >= 50 && first < 150, String(first))
    t.ok(second >= 100 && second < 300, String(second))
  }
})

t.test('the third failure in a row is the last', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  fake.faults = { resets: 3 }
  const reset = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(reset, { code: 'ERR_REGISTRY_UNREACHABLE', message: /closed the connection/ })
  fake.faults = { statuses: [503, 503, 503, 200] }
  const status = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(status, { code: 'ERR_REGISTRY_RESPONSE', message: /503 Service Unavailable/ })
  t.equal(fake.requests.length, 6)
})

t.test('other answers are not tried again', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  const rows = [
    [401, 'ERR_REGISTRY_UNAUTHORIZED'],
    [403, 'ERR_REGISTRY_UNAUTHORIZED'],
    [404, 'ERR_REGISTRY_NOT_FOUND'],
    [410, 'ERR_REGISTRY_RESPONSE'],
    [204, 'ERR_REGISTRY_RESPONSE'],
    [418, 'ERR_REGISTRY_RESPONSE'],
  ] as const
  for (const [status, code] of rows) {
    fake.faults = { statuses: [status] }
    fake.requests.length = 0
    const failure = await failureOf(client.listTags(name('acme/web'), {}))
    t.equal(failure.code, code, String(status))
    t.match(failure.message, String(status))
    t.equal(fake.requests.length, 1)
  }
})

t.test('a registry that asks to slow down is told on, with the time it asks for', async (t) => {
  const { client, fake, name, pauses, time } = await startPair(t, { repositories })
  const date = new Date(Math.ceil(time.now / 1000) * 1000 + 90_000).toUTCString()
  const rows = [
    ['30', /, retry after 30 s$/],
    [date, /, retry after 90 s$/],
    ['soon', /TOOMANYREQUESTS: toomanyrequests$/],
    ['', /TOOMANYREQUESTS: toomanyrequests$/],
    ['-1', /toomanyrequests$/],
    ['9'.repeat(50), /toomanyrequests$/],
  ] as const
  for (const [retryAfter, words] of rows) {
    fake.faults = { rateLimited: true, retryAfter }
    fake.requests.length = 0
    const failure = await failureOf(client.listTags(name('acme/web'), {}))
    t.match(failure, { code: 'ERR_REGISTRY_RATE_LIMITED', message: words }, retryAfter)
    t.equal(fake.requests.length, 1, retryAfter)
  }
  pauses.length = 0
  fake.faults = { statuses: [429], retryAfter: '2' }
  t.strictSame(await client.listTags(name('acme/web'), {}), ['v1.0.0'])
  t.strictSame(pauses, [2000])
})

t.test('a long Retry-After on a 5xx is not waited for', async (t) => {
  const { client, fake, name, pauses } = await startPair(t, { repositories })
  fake.faults = { statuses: [503], retryAfter: '3' }
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure.message, /503 Service Unavailable .* retry after 3 s/)
  t.strictSame(pauses, [])
})

t.test('redirects are followed on the same host, three times', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories })
  fake.faults = { redirect: '/v2/acme/web/tags/list?moved', only: /n=1000$/ }
  t.strictSame(await client.listTags(name('acme/web'), {}), ['v1.0.0'])
  fake.requests.length = 0
  fake.faults = { redirect: '/v2/acme/web/tags/list' }
  const failure = await failureOf(client.listTags(name('acme/web'), {}))
  t.match(failure, { code: 'ERR_REGISTRY_REDIRECT', message: /after 3/ })
  t.equal(fake.requests.length, 4)
})

t.test('a redirect that cannot be followed is refused', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories, platforms: ['linux/amd64'] })
  const places = ['', 'http://[', 'file:///etc/passwd', 'javascript:1', 'https://registry.invalid/']
  for (const place of places) {
    fake.faults = { redirect: place, only: /tags/ }
    if (place === '') fake.faults = { statuses: [302] }
    const failure = await failureOf(client.listTags(name('acme/web'), {}))
    t.equal(failure.code, 'ERR_REGISTRY_REDIRECT', place)
  }
  fake.faults = { blobRedirect: 'file:///etc/passwd' }
  const blob = await failureOf(client.resolve(name('acme/web'), 'v1.0.0', { platforms: true }))
  t.equal(blob.code, 'ERR_REGISTRY_REDIRECT')
})

t.test('what a registry says about an error is cut and cleaned', async (t) => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJl'
  const errors = [
    { code: 'DENIED', message: `no\nway\0 \u202e ${token} ${'long '.repeat(100)}` },
    { code: 'SECOND', message: 'not shown' },
  ]
  const body = JSON.stringify({ errors })
  const words = `HTTP/1.1 403 Forbidden\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  const { client, name } = await startRaw(t, words)
  const { message } = await failureOf(client.listTags(name, {}))
  t.match(message, /, DENIED: no way … long long/)
  t.notMatch(message, /SECOND|eyJ|[\0\n\u202e]/)
  t.ok(message.length < 350)
})

t.test('an error body of any other shape is left out', async (t) => {
  const bodies = [
    '',
    '<h1>x</h1>',
    '{}',
    '[]',
    'null',
    '{"errors":[]}',
    '{"errors":[null]}',
    '{"errors":[{"code":"lower","message":7}]}',
    '{"errors":{"0":{"code":"<b>"}}}',
  ]
  for (const body of bodies) {
    const words = `HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const { client, host, name } = await startRaw(t, words)
    const { message } = await failureOf(client.listTags(name, {}))
    t.equal(message, `${host} answered 403 Forbidden for the tags of ${name}`, body)
  }
})

t.test('a server that does not speak HTTP is named', async (t) => {
  const { client, name } = await startRaw(t, 'SSH-2.0-OpenSSH_9.9\r\n')
  const failure = await failureOf(client.listTags(name, {}))
  t.match(failure, { code: 'ERR_REGISTRY_RESPONSE', message: /does not answer in HTTP/ })
})

t.test('a plain HTTP registry without insecure is told how to be marked', async (t) => {
  const { client, name } = await startRaw(t, 'HTTP/1.1 400 Bad Request\r\n\r\n', false)
  const failure = await failureOf(client.listTags(name, {}))
  t.match(failure, { code: 'ERR_REGISTRY_UNREACHABLE', remedy: /insecure: true/ })
  t.match(failure.message, /does not speak TLS/)
})

t.test('a connection that never stands ends with the timeout', async (t) => {
  const { client, name } = await startRaw(t, undefined, false, { connect: 300 })
  const failure = await failureOf(client.listTags(name, {}))
  t.match(failure, { code: 'ERR_REGISTRY_TIMEOUT', message: /did not connect within 300 ms/ })
})

t.test('each request passes the place for rate limits', async (t) => {
  const hosts: string[] = []
  const before = (host: string) => {
    hosts.push(host)
  }
  const options = { repositories, authentication: { kind: 'token' } } as const
  const { client, fake, name } = await startPair(t, options, {}, { before, userAgent: 'probe/1' })
  await client.listTags(name('acme/web'), {})
  t.strictSame(hosts, [fake.host, fake.host, fake.host])
  t.ok(fake.requests.every(({ headers }) => headers['user-agent'] === 'probe/1'))
})

t.test('a closed client says so', async (t) => {
  const { client, fake, name } = await startPair(t, { repositories, faults: { hang: true } })
  const work = failureOf(client.listTags(name('acme/web'), {}))
  await asked(fake, 1)
  await client.close()
  t.match(await work, { code: 'ERR_REGISTRY_UNREACHABLE', message: /client was closed/ })
})
