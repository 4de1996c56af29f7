import { once } from 'node:events'
import https from 'node:https'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import tls from 'node:tls'
import t from 'tap'
import { createServer } from '../../src/server/index.ts'
import { ALLOW, call, changeable, closing, makeCertificate, startServer } from './fixture.ts'

t.test('a renewed certificate is shown to new connections while old ones live on', async (t) => {
  const one = await makeCertificate()
  const two = await makeCertificate()
  const certificates = changeable(one)
  const { url, server } = await startServer(t, { certificates })
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: one.ca })
  t.teardown(() => agent.destroy())
  const first = await call(`${url}/mutate`, { agent, ca: one.ca })

  certificates.change(two)

  const old = await call(`${url}/mutate`, { agent, ca: one.ca })
  t.match(old, { status: 200, localPort: first.localPort }, 'the same connection')
  const fresh = await call(`${url}/mutate`, { ca: two.ca })
  t.equal(fresh.status, 200, 'trusted by the new CA')
  t.not(fresh.fingerprint, first.fingerprint)
  await t.rejects(call(`${url}/mutate`, { ca: one.ca }), /certificate|signature/)
  await server.stop()
  t.equal(certificates.listeners.size, 0, 'a stopped server listens to no certificates')
})

t.test('TLS below 1.2 is refused', async (t) => {
  const { port } = await startServer(t)
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false }
  const old = tls.connect({
    ...options,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL',
  })
  const [error] = await once(old, 'error')
  t.match(error, { code: /SSL|TLS|ECONNRESET/ })
  const good = tls.connect({ ...options, maxVersion: 'TLSv1.2' })
  await once(good, 'secureConnect')
  t.equal(good.getProtocol(), 'TLSv1.2')
  good.destroy()
})

t.test('hostile bytes end their own connection and nothing else', async (t) => {
  const { url, port } = await startServer(t)
  const plain = ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\xff\xff', '\0'.repeat(70_000), '']
  for (const bytes of plain) {
    const socket = net.connect(port, '127.0.0.1').resume()
    const closed = closing(socket)
    socket.end(bytes)
    await closed
    t.match(await call(`${url}/mutate`), { status: 200 }, JSON.stringify(bytes.slice(0, 20)))
  }
  const inside = [
    'not http at all\r\n\r\n',
    'POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    'POST /mutate HTTP/1.1\r\n\r\n',
    `POST /mutate HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    'POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
  ]
  for (const bytes of inside) {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    const closed = closing(socket)
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    await once(socket, 'secureConnect')
    socket.write(bytes)
    await closed
    t.match(answer, /^(HTTP\/1\.1 4\d\d |$)/, JSON.stringify(bytes.slice(0, 40)))
    t.match(await call(`${url}/mutate`), { status: 200 })
  }
})

t.test(
  'a client that leaves in the middle of its body or before its answer does no harm',
  async (t) => {
    const arrived = Promise.withResolvers<void>()
    const { promise, resolve } = Promise.withResolvers<void>()
    const slow = async () => {
      arrived.resolve()
      await promise
      return { status: 200, body: '{}' }
    }
    const { url, port, server, metrics } = await startServer(t, {
      handlers: { mutate: ALLOW, validate: slow },
    })
    const head = 'Host: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n'
    const connect = async () => {
      const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      return socket
    }
    const half = await connect()
    half.write(`POST /mutate HTTP/1.1\r\n${head}Expect: 100-continue\r\n\r\n{`)
    const [answer] = await once(half, 'data')
    t.match(String(answer), /^HTTP\/1\.1 100 /, 'the head has arrived')
    half.destroy()
    const whole = await connect()
    whole.write(`POST /validate HTTP/1.1\r\n${head}\r\n${' '.repeat(10)}`)
    await arrived.promise
    whole.destroy()
    const counted = async (path: string) =>
      (await metrics.metrics()).includes(`{path="/${path}",status="aborted"} 1`)
    for (const path of ['mutate', 'validate']) while (!(await counted(path))) await delay(10)
    resolve()
    t.match(await call(`${url}/mutate`), { status: 200 })
    await server.stop()
    t.pass('it stops without waiting for those who left')
  },
)

t.test('connections are kept for longer than the 90 s of the API server', async (t) => {
  const { url } = await startServer(t)
  const agent = new https.Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const { headers } = await call(`${url}/mutate`, { agent })
  t.match(headers['keep-alive'], 'timeout=120')
})

t.test('a port that is taken is named, with what to do', async (t) => {
  const { port, certificates, metrics } = await startServer(t)
  metrics.clear()
  const options = {
    certificates,
    metrics,
    ready: () => [],
    handlers: { mutate: ALLOW, validate: ALLOW },
  }
  const log = { info: () => {}, warn: () => {}, error: () => {} } as never
  const second = createServer({ ...options, log })
  await t.rejects(second.listen({ address: '127.0.0.1', port }), {
    code: 'ERR_LISTEN',
    message: `cannot listen on 127.0.0.1 port ${port}: the port is taken`,
    remedy: /listen\.port/,
  })
  await t.rejects(second.listen({ address: '203.0.113.1', port: 0 }), {
    code: 'ERR_LISTEN',
    remedy: /listen\.address/,
  })
  await second.stop()
})

t.test('an IPv6 address is printed so that it can be used', async (t) => {
  const { certificates } = await startServer(t)
  const { Registry } = await import('prom-client')
  const handlers = { mutate: ALLOW, validate: ALLOW }
  const log = { info: () => {}, warn: () => {}, error: () => {} } as never
  const server = createServer({
    certificates,
    handlers,
    log,
    metrics: new Registry(),
    ready: () => [],
  })
  t.teardown(() => server.stop())
  const { url, port } = await server.listen({ address: '::1', port: 0 })
  t.equal(url, `https://[::1]:${port}`)
  t.match(await call(`${url}/healthz`, { method: 'GET' }), { status: 200 })
})
