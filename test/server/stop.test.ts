import { EventEmitter, once } from 'node:events'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import t from 'tap'
import { onTermination } from '../../src/server/index.ts'
import { ALLOW, call, closing, startServer } from './fixture.ts'

/** A handler that answers when the test says so. */
function gate() {
  const arrived = Promise.withResolvers<void>()
  const open = Promise.withResolvers<void>()
  const handler = async () => {
    arrived.resolve()
    await open.promise
    return { status: 200, body: '{"late":true}' }
  }
  return { handler, arrived: arrived.promise, open: open.resolve }
}

t.test('a stop says not ready first, keeps answering for the delay, then closes', async (t) => {
  const delay = Promise.withResolvers<void>()
  const delays: number[] = []
  const sleep = (ms: number) => {
    delays.push(ms)
    return delay.promise
  }
  const { url, server } = await startServer(t, { drainDelay: 300, sleep })
  const stopped = server.stop()
  const ready = await call(`${url}/readyz`, { method: 'GET' })
  t.equal(ready.status, 503)
  t.match(ready.body, /the server is stopping/)
  const review = await call(`${url}/mutate`)
  t.match(review, { status: 200, headers: { connection: 'close' } })
  t.strictSame(delays, [300])
  delay.resolve()
  await stopped
  await t.rejects(call(`${url}/mutate`), { code: 'ECONNREFUSED' })
})

t.test('reviews under way are answered, idle connections are closed', async (t) => {
  const { handler, arrived, open } = gate()
  const { url, server } = await startServer(t, { handlers: { mutate: handler, validate: ALLOW } })
  const agent = new https.Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  await call(`${url}/validate`, { agent })
  const late = call(`${url}/mutate`)
  await arrived
  const stopped = server.stop()
  await refused(`${url}/validate`)
  open()
  t.match(await late, { status: 200, body: '{"late":true}' })
  await stopped
})

t.test('without any delay, no request on a busy connection is lost', async (t) => {
  for (let round = 0; round < 10; round += 1) {
    const { url, server } = await startServer(t)
    const lost: string[] = []
    let answered = 0
    const clients = Array.from({ length: 16 }, async (_, at) => {
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
      for (;;) {
        const answer = await call(`${url}/mutate`, { agent }).catch((error) => error)
        if (answer instanceof Error) {
          const { code, syscall } = answer as NodeJS.ErrnoException
          if (syscall !== 'connect') lost.push(`${code}`)
          break
        }
        answered += 1
        await new Promise((resolve) => setTimeout(resolve, at * 20))
      }
      agent.destroy()
    })
    while (answered < 64) await new Promise((resolve) => setTimeout(resolve, 5))
    await server.stop()
    await Promise.all(clients)
    t.strictSame(lost, [])
  }
})

/** Calls until nobody listens any more. */
async function refused(url: string): Promise<void> {
  for (;;) {
    const failure = await call(url).catch((error: NodeJS.ErrnoException) => error)
    if ('code' in failure && failure.code === 'ECONNREFUSED') return
  }
}

t.test('a review that never ends holds the stop no longer than allowed', async (t) => {
  const { handler, arrived } = gate()
  const { url, server, lines } = await startServer(t, {
    handlers: { mutate: handler, validate: ALLOW },
    drainTimeout: 100,
  })
  const never = call(`${url}/mutate`)
  const dropped = t.rejects(never, { code: 'ECONNRESET' })
  await arrived
  await server.stop()
  await dropped
  t.match(lines, [/"reviews":1.*stopping before/])
})

t.test('connections that never asked anything do not hold the stop', async (t) => {
  const { port, server } = await startServer(t)
  const raw = net.connect(port, '127.0.0.1')
  const unused = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  const half = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  const closed = [raw, unused, half].map(closing)
  await Promise.all([
    once(raw, 'connect'),
    once(unused, 'secureConnect'),
    once(half, 'secureConnect'),
  ])
  half.write('POST /mutate HTTP/1.1\r\nHost: x\r\n')
  await server.stop()
  await Promise.all(closed)
  t.pass('closed')
})

t.test('stopping twice is one stop, and a server that never listened can be stopped', async (t) => {
  const { server } = await startServer(t)
  const first = server.stop()
  t.equal(server.stop(), first)
  await first
})

/** Stands for the process: notes the exit codes. */
function fakeProcess() {
  const emitter = new EventEmitter()
  const exits: number[] = []
  const exited = Promise.withResolvers<void>()
  const exit = (code: number) => {
    exits.push(code)
    exited.resolve()
  }
  return {
    emitter,
    exits,
    exited: exited.promise,
    process: Object.assign(emitter, { exit }) as never,
  }
}

const QUIET = { info: () => {}, warn: () => {}, error: () => {} } as never

t.test('the first SIGTERM or SIGINT stops in good order and exits 0', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const { emitter, exits, exited, process } = fakeProcess()
    let stops = 0
    const stop = async () => {
      stops++
    }
    onTermination({ stop, log: QUIET, process })
    emitter.emit(signal, signal)
    await exited
    t.same(exits, [0], signal)
    t.equal(stops, 1)
  }
})

t.test('a second signal ends the process at once', async (t) => {
  const { emitter, exits, process } = fakeProcess()
  let now = 0
  onTermination({ stop: () => new Promise(() => {}), log: QUIET, process, clock: () => now })
  emitter.emit('SIGTERM', 'SIGTERM')
  t.same(exits, [])
  now = 500
  emitter.emit('SIGTERM', 'SIGTERM')
  emitter.emit('SIGINT', 'SIGINT')
  t.same(exits, [143, 130])
})

t.test('one Ctrl-C that comes twice, from the terminal and from npm, is one', async (t) => {
  const { emitter, exits, process } = fakeProcess()
  let now = 0
  onTermination({ stop: () => new Promise(() => {}), log: QUIET, process, clock: () => now })
  emitter.emit('SIGINT', 'SIGINT')
  now = 499
  emitter.emit('SIGINT', 'SIGINT')
  t.same(exits, [])
})

t.test('a stop that fails exits 2', async (t) => {
  const { emitter, exits, exited, process } = fakeProcess()
  const stop = () => Promise.reject(new Error('disk full'))
  onTermination({ stop, log: QUIET, process })
  emitter.emit('SIGINT', 'SIGINT')
  await exited
  t.same(exits, [2])
})
