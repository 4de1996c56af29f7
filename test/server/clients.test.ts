import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import type { ClientOptions } from '../../src/server/index.ts'
import { type Authority, createAuthority, type Issued } from '../cluster/authority.ts'
import { call, startServer } from './fixture.ts'

const OURS = createAuthority('clients')
const NEXT = createAuthority('next clients')
/** The same name, another key. */
const IMPOSTOR = createAuthority('clients')
const API_SERVER = OURS.issue('kube-apiserver-webhooks', { names: ['api.example.com'] })

/** CAs that a test changes by hand. */
function changeableAuthorities(...first: Authority[]) {
  const parse = (all: Authority[]) => all.map(({ certificate }) => new X509Certificate(certificate))
  let current = parse(first)
  const listeners = new Set<() => void>()
  return {
    current: () => current,
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    change: (...next: Authority[]) => {
      current = parse(next)
      for (const listener of listeners) listener()
    },
    listeners,
  }
}

async function startGuarded(t: Test, changes: Partial<ClientOptions> = {}, clock?: () => number) {
  const authority = changeableAuthorities(OURS)
  const clients = { authority, names: [], enforcement: 'Enforce', ...changes } as const
  const running = await startServer(t, { clients, ...(clock && { clock }) })
  const ask = (client?: Issued, path = '/validate', body: string | Buffer = '{}') =>
    call(running.url + path, {
      method: ['/validate', '/mutate'].includes(path) ? 'POST' : 'GET',
      body,
      ...(client && { cert: client.certificate, key: client.key }),
    })
  return { ...running, authority, ask }
}

function messageOf({ body }: { body: string }): string {
  const { kind, message, status } = JSON.parse(body)
  return `${kind} ${status}: ${message}`
}

t.test('reviews are answered only to clients with a certificate of the CA', async (t) => {
  const { ask, lines, metrics } = await startGuarded(t)
  t.match(await ask(API_SERVER), { status: 200, body: '{"allowed":true}' })
  t.match(await ask(API_SERVER, '/mutate'), { status: 200 })

  const selfSigned = createAuthority('kube-apiserver-webhooks')
  const ended = OURS.issue('kube-apiserver-webhooks', { end: Date.now() - 60_000 })
  const rows: [name: string, client: Issued | undefined, message: RegExp][] = [
    ['no certificate', undefined, /shows no certificate\. .*--admission-control-config-file/],
    ['an expired one', ended, /does not count/],
    ['of another CA', NEXT.issue('kube-apiserver-webhooks', {}), /does not count/],
    ['of a CA of the same name', IMPOSTOR.issue('kube-apiserver-webhooks', {}), /does not count/],
    ['self-signed, of the same name', selfSigned.issue('kube-apiserver-webhooks', {}), /not count/],
    ['of a server', OURS.issue('tagwarden', { usage: 'serverAuth' }), /does not count/],
  ]
  for (const [name, client, message] of rows) {
    for (const path of ['/validate', '/mutate']) {
      const answer = await ask(client, path)
      t.equal(answer.status, 401, name)
      t.match(messageOf(answer), message)
      t.equal(answer.headers['connection'], 'close', 'another certificate needs another connection')
    }
  }
  const text = await metrics.metrics()
  t.match(text, 'tagwarden_client_problems_total{reason="none"} 2')
  t.match(text, 'tagwarden_client_problems_total{reason="untrusted"} 10')
  t.match(text, 'tagwarden_client_problems_total{reason="name"} 0', 'so the first is an increase')
  t.match(text, 'tagwarden_http_requests_total{path="/validate",status="401"} 6')
  t.equal(lines.length, 2, 'a line for each reason, not for each request')
  t.match(
    lines[0],
    /"client":"127\.0\.0\.1".*a review was refused: the client shows no certificate/,
  )
  t.match(lines[1], /does not count: CERT_HAS_EXPIRED/)
})

t.test('probes and metrics are for everybody, whatever they show', async (t) => {
  const { ask } = await startGuarded(t)
  for (const client of [undefined, IMPOSTOR.issue('kubelet', {}), API_SERVER]) {
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      t.match(await ask(client, path), { status: 200 }, path)
    }
  }
})

t.test('names narrow it to some of the certificates of the CA', async (t) => {
  const names = [
    'kube-apiserver-webhooks',
    'api.example.com',
    'spiffe://example.com/api',
    '10.0.0.1',
  ]
  const { ask, lines } = await startGuarded(t, { names })
  const rows: [client: Issued, status: number][] = [
    [API_SERVER, 200],
    [OURS.issue('kube-apiserver-webhooks', {}), 200],
    [OURS.issue('x', { names: ['b.example.com', 'api.example.com'] }), 200],
    [OURS.issue('x', { names: ['spiffe://example.com/api'] }), 200],
    [OURS.issue('x', { names: ['10.0.0.1'] }), 200],
    [OURS.issue('system:node:worker', { names: ['worker.example.com'] }), 403],
    [OURS.issue('api.example.com.evil.example', { names: ['*.example.com'] }), 403],
    [OURS.issue('Kube-Apiserver-Webhooks', {}), 403],
    [OURS.issue('x', { organization: 'kube-apiserver-webhooks' }), 403],
    [OURS.issue('x', { names: ['a, DNS:api.example.com'] }), 403],
    [OURS.issue('x, CN=kube-apiserver-webhooks', {}), 403],
    [OURS.issue('x\nkube-apiserver-webhooks', {}), 403],
    [OURS.issue('__proto__', {}), 403],
  ]
  for (const [client, status] of rows) {
    const answer = await ask(client)
    const { subject, subjectAltName } = new X509Certificate(client.certificate)
    t.equal(answer.status, status, `${subject} ${subjectAltName}`)
    if (status === 403) t.match(messageOf(answer), /^Status Failure: .* clients\.names/)
  }
  t.match(lines[0], /"names":\["system:node:worker","worker\.example\.com"\]/)
})

t.test(
  'with enforcement: Warn everybody is answered, and what would be refused is told',
  async (t) => {
    const { ask, lines, metrics } = await startGuarded(t, { enforcement: 'Warn', names: ['x'] })
    for (const client of [undefined, API_SERVER, IMPOSTOR.issue('x', {})]) {
      t.match(await ask(client), { status: 200, body: '{"allowed":true}' })
    }
    t.match(await ask(OURS.issue('x', {})), { status: 200 })
    t.equal(lines.length, 3)
    t.match(lines[0], 'a review would be refused: the client shows no certificate')
    t.match(await metrics.metrics(), 'tagwarden_client_problems_total{reason="name"} 1')
  },
)

t.test('intermediates may stand between, if the client shows them', async (t) => {
  const { url, ask, authority } = await startGuarded(t)
  const between = OURS.subordinate('webhook clients')
  const leaf = between.issue('kube-apiserver-webhooks', {})
  const chain = { ...leaf, certificate: leaf.certificate + between.certificate }
  t.match(await ask(chain), { status: 200 })
  t.match(await ask(leaf), { status: 401 })
  const own = { cert: chain.certificate, key: chain.key }
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ...own })
  t.teardown(() => agent.destroy())
  const again = () => call(`${url}/validate`, { agent, ...own })
  await again()
  authority.change(OURS, NEXT)
  const [second, third] = [await again(), await again()]
  t.match([second.status, third.status], [200, 200])
  t.not(second.localPort, third.localPort, 'it has to prove itself anew')
  authority.change(NEXT)
  t.match(await ask(chain), { status: 401 })
})

t.test(
  'another CA counts at once, and refuses nothing that an open connection sends meanwhile',
  async (t) => {
    const { url, authority, ask, server } = await startGuarded(t)
    const open = (client?: Issued) => {
      const own = client && { cert: client.certificate, key: client.key }
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ...own })
      t.teardown(() => agent.destroy())
      return () => call(`${url}/validate`, { agent, ...own })
    }
    const old = open(API_SERVER)
    const early = open(NEXT.issue('kube-apiserver-webhooks', {}))
    const first = await old()
    t.match(first, { status: 200 })
    t.match(await early(), { status: 401 })

    authority.change(NEXT, OURS)
    t.match(await old(), { status: 200, localPort: first.localPort }, 'the same connection goes on')
    t.match(await early(), { status: 200 }, 'what was refused gets in by a new one')

    authority.change(NEXT)
    const late = await old()
    t.match(late, { status: 200, localPort: first.localPort }, 'no review is lost')
    t.equal(late.headers['connection'], 'close', 'but the connection ends with it')
    t.match(await old(), { status: 401 }, 'and another one counts no more')
    t.match(await ask(API_SERVER), { status: 401 })
    t.match(await early(), { status: 200 })
    await server.stop()
    t.equal(authority.listeners.size, 0, 'a stopped server listens to no CAs')
  },
)

t.test('a connection does not outlive its certificate', async (t) => {
  let now = Date.now()
  const { url } = await startGuarded(t, {}, () => now)
  const { certificate: cert, key } = OURS.issue('x', { end: now + 3_600_000 })
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, cert, key })
  t.teardown(() => agent.destroy())
  const first = await call(`${url}/validate`, { agent, cert, key })
  t.match(first, { status: 200 })
  now += 3_600_001
  t.match(await call(`${url}/validate`, { agent, cert, key }), {
    status: 401,
    localPort: first.localPort,
  })
})

t.test('the certificate that clients use and that ends first is known for an hour', async (t) => {
  let now = Date.now()
  const { server, ask } = await startGuarded(t, { names: ['x'] }, () => now)
  t.equal(server.clientsEnd(), undefined)
  await ask()
  await ask(NEXT.issue('x', { end: now + 60_000 }))
  await ask(OURS.issue('y', { end: now + 60_000 }))
  t.equal(server.clientsEnd(), undefined, 'of those who may not ask it does not matter')
  const [soon, late] = [now + 7_200_000, now + 9_000_000].map((end) => end - (end % 1_000))
  await ask(OURS.issue('x', { end: soon as number }))
  const renewed = OURS.issue('x', { end: late as number })
  await ask(renewed)
  t.equal(server.clientsEnd(), soon)
  now += 3_000_000
  await ask(renewed)
  now += 1_000_000
  t.equal(server.clientsEnd(), late, 'the old one was shown no more')
})

t.test('no session is resumed and none renegotiated, so that nothing is inherited', async (t) => {
  const { port } = await startGuarded(t)
  const connect = async (version: tls.SecureVersion, session?: Buffer) => {
    const socket = tls.connect({
      ...{ port, host: '127.0.0.1', rejectUnauthorized: false, session },
      ...{ minVersion: version, maxVersion: version },
    })
    let next: Buffer | undefined
    socket.on('session', (given) => {
      next = given
    })
    await once(socket, 'secureConnect')
    const reused = socket.isSessionReused()
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.write('POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    await once(socket, 'close')
    return { session: next ?? socket.getSession(), reused, status: answer.slice(9, 12) }
  }
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { session, status } = await connect(version)
    t.equal(status, '401')
    t.match(await connect(version, session), { reused: false, status: '401' }, version)
  }
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false } as const
  const socket = tls.connect({ ...options, maxVersion: 'TLSv1.2' })
  await once(socket, 'secureConnect')
  socket.renegotiate({}, () => t.fail('it was renegotiated'))
  t.match(await once(socket, 'error'), [{ code: 'ERR_SSL_NO_RENEGOTIATION' }])
  socket.destroy()
})

t.test('no spelling of a path leads around it', async (t) => {
  const { port } = await startGuarded(t)
  const paths = [
    ...['/validate', '/validate?timeout=10s', '/validate/', '//validate', '/healthz/../validate'],
    ...['/validate/../validate', '/./validate', '/%76alidate', '/validate%00', '/VALIDATE'],
    ...['/validate;a=b', '/validate#x', '\\validate', `https://127.0.0.1:${port}/validate`, '*'],
  ]
  for (const path of paths) {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    const more = 'X-HTTP-Method-Override: POST\r\nX-Original-URL: /validate\r\nForwarded: for=::1'
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    )
    await once(socket, 'close')
    t.match(answer, /^HTTP\/1\.1 4\d\d /, path)
    t.notMatch(answer, 'allowed', path)
  }
})

t.test('a review that is too large, or empty, is refused with the same words', async (t) => {
  const { ask } = await startGuarded(t)
  for (const bytes of [0, 20 * 1024 * 1024]) {
    const answer = await ask(undefined, '/validate', Buffer.alloc(bytes, ' '))
    t.match(messageOf(answer), /^Status Failure: the client shows no certificate/)
  }
})

t.test('a handshake that a change of the CAs interrupts is worth one answer at most', async (t) => {
  const { port, authority, ask } = await startGuarded(t)
  const tcp = net.connect(port, '127.0.0.1')
  await once(tcp, 'connect')
  await ask(API_SERVER)
  authority.change(NEXT)
  const { certificate: cert, key } = API_SERVER
  const socket = tls.connect({ socket: tcp, cert, key, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  let answers = ''
  socket.on('data', (chunk) => {
    answers += chunk
  })
  const closed = once(socket, 'close')
  socket.write('POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'.repeat(3))
  await closed
  t.equal(answers.match(/HTTP\/1\.1/g)?.length, 1, answers)
})

t.test('the API server is asked for nothing where everybody may ask', async (t) => {
  const { url } = await startServer(t)
  const { certificate: cert, key } = API_SERVER
  t.match(await call(`${url}/validate`, { cert, key }), { status: 200 })
  t.match(await call(`${url}/validate`), { status: 200 })
})
