import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { openAccess } from '../../src/cluster/access.ts'
import { systemClock } from '../../src/cluster/clock.ts'
import { watchEvents } from '../../src/cluster/event_stream.ts'
import {
  CUSTOM_RESOURCE_DEFINITIONS,
  type ListOptions,
  openCluster,
} from '../../src/cluster/index.ts'
import { createLineSplitter } from '../../src/cluster/lines.ts'
import { waitFor } from './child.ts'
import { CONFIG_MAPS } from './config_maps.ts'
import {
  json,
  listOf,
  object,
  refuse,
  type Script,
  type ScriptedServer,
  startScriptedServer,
} from './scripted_server.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/** What one watch request is answered with. */
type Stream = (response: ServerResponse) => void

const event = (type: string, name: string, version = '60') =>
  `${JSON.stringify({ type, object: object(name, version) })}\n`
const sends =
  (...parts: (string | Buffer)[]): Stream =>
  (response) => {
    response.writeHead(200, JSON_TYPE).flushHeaders()
    for (const part of parts) response.write(part)
  }
const sendsAndEnds =
  (...parts: string[]): Stream =>
  (response) => {
    sends(...parts)(response)
    response.end()
  }

/** Lists and streams in the order of the requests; the last of each is for all later ones. */
function serves(lists: readonly (readonly string[])[], streams: readonly Stream[]): Script {
  let list = 0
  let stream = 0
  return ({ query }, response) => {
    if (query.has('watch')) streams[Math.min(stream++, streams.length - 1)]?.(response)
    else json(response, listOf(lists[Math.min(list++, lists.length - 1)] ?? []))
  }
}

async function watch(t: Test, script: Script, options: ListOptions = {}, clock = systemClock) {
  const server = await startScriptedServer(t, script)
  const errors: string[] = []
  const ignore = () => {}
  const log = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (_: object, m: string) => errors.push(m),
  }
  const { kubeconfig } = server
  const cluster = await openCluster({ kubeconfig, timeLimit: 10_000, log, clock })
  t.teardown(() => cluster.close())
  const lines: string[] = []
  const watching = cluster.watch(CONFIG_MAPS, options, {
    upsert: ({ metadata }) => {
      lines.push(`+${metadata.name}`)
      if (metadata.name === 'poison') throw new Error('poisoned')
    },
    remove: ({ name }) => lines.push(`-${name}`),
    problem: (error) => lines.push(`problem: ${(error as { reason?: string }).reason}`),
    recovered: () => lines.push('recovered'),
  })
  const until = (line: string, times = 1) =>
    waitFor(() => lines.filter((each) => each === line).length >= times, {
      what: `${line} is told, after ${lines}`,
    })
  return { server, cluster, watching, lines, errors, until }
}

const versionsOf = (server: ScriptedServer) =>
  server.asked
    .filter(({ query }) => query.has('watch'))
    .map(({ query }) => query.get('resourceVersion'))

t.test('what is there, what comes, what goes', async (t) => {
  const { server, watching, lines, until } = await watch(
    t,
    serves(
      [['a', 'b']],
      [
        sends(
          event('MODIFIED', 'a', '50'),
          event('ADDED', 'c', '101'),
          event('BOOKMARK', '', '105'),
          event('DELETED', 'b', '106'),
          event('DELETED', 'never', '107'),
        ),
      ],
    ),
    { namespace: 'shop', labelSelector: 'app=web', fieldSelector: 'metadata.name!=x' },
  )
  t.equal(watching.isSynced(), false)
  await watching.synced
  t.equal(watching.isSynced(), true)
  await until('-b')
  t.strictSame(lines, ['+a', '+b', '+c', '-b'], 'and nothing twice')
  const [list, stream] = server.asked
  t.equal(list?.path, '/api/v1/namespaces/shop/configmaps')
  for (const query of [list?.query, stream?.query]) {
    t.equal(query?.get('labelSelector'), 'app=web')
    t.equal(query?.get('fieldSelector'), 'metadata.name!=x')
  }
  t.equal(stream?.query.get('resourceVersion'), '100')
  t.equal(stream?.query.get('allowWatchBookmarks'), 'true')
  const seconds = Number(stream?.query.get('timeoutSeconds'))
  t.ok(seconds >= 300 && seconds <= 600)
  await watching.close()
  t.equal(server.asked.length, 2)
})

t.test('a stream that ends is taken up where it ended', async (t) => {
  const { server, until, lines } = await watch(
    t,
    serves(
      [['a']],
      [
        sendsAndEnds(event('ADDED', 'b', '101'), event('BOOKMARK', '', '140')),
        (response) => {
          sends(event('ADDED', 'c', '150'), event('ADDED', 'half', '151').slice(0, 40))(response)
          setTimeout(() => response.destroy(), 20)
        },
        sends(event('ADDED', 'half', '151')),
      ],
    ),
  )
  await until('+half')
  t.strictSame(lines, ['+a', '+b', '+c', '+half'], 'a cut connection is no problem yet')
  t.strictSame(versionsOf(server), ['100', '140', '150'])
})

const GONE = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }
const goneEvent = `${JSON.stringify({ type: 'ERROR', object: GONE })}\n`

t.test('an expired version leads to a new list, of which the differences are told', async (t) => {
  for (const gone of [
    sends(goneEvent),
    ((response) => refuse(response, 410, 'Expired')) as Stream,
  ]) {
    const { until, lines, server } = await watch(
      t,
      serves(
        [
          ['a', 'b'],
          ['b', 'c'],
        ],
        [gone, sends(event('ADDED', 'd', '101'))],
      ),
    )
    await until('+d')
    t.strictSame(lines, ['+a', '+b', '+c', '-a', '+d'])
    t.equal(server.asked.length, 4)
  }
})

t.test('nonsense in a stream is told, and the truth is asked for again', async (t) => {
  const rows: [what: string, stream: Stream, reason: string][] = [
    ['garbage', sends('}{\n'), 'StrangeAnswer'],
    ['half an object that is a whole line', sends('{"type":"ADDED","obj\n'), 'StrangeAnswer'],
    ['another type', sends('{"type":"GROWN","object":{}}\n'), 'StrangeAnswer'],
    ['no object', sends('{"type":"ADDED"}\n'), 'StrangeAnswer'],
    ['null', sends('null\n'), 'StrangeAnswer'],
    ['no name', sends('{"type":"ADDED","object":{"metadata":{}}}\n'), 'StrangeAnswer'],
    ['a bookmark of nothing', sends('{"type":"BOOKMARK","object":{}}\n'), 'StrangeAnswer'],
    ['an error of nothing', sends('{"type":"ERROR"}\n'), 'InternalError'],
    [
      'a login page',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/html' })
        response.end('<html></html>')
      },
      'StrangeAnswer',
    ],
    ['a line without an end', sends('x'.repeat(8 * 1024 * 1024 + 1)), 'TooLarge'],
    ['a refusal', (response) => refuse(response, 400, 'BadRequest'), 'BadRequest'],
  ]
  for (const [what, stream, reason] of rows) {
    const { until, lines, cluster } = await watch(
      t,
      serves([['a']], [stream, sends(event('ADDED', 'z', '101'))]),
    )
    await until('+z')
    const expected = ['+a', `problem: ${reason}`, 'recovered', '+z']
    t.strictSame(lines, expected, what)
    await cluster.close()
  }
})

t.test('a server that is busy keeps its version, and is asked ever more rarely', async (t) => {
  const { server, until, lines } = await watch(
    t,
    serves(
      [['a']],
      [
        (response) => refuse(response, 503, 'ServiceUnavailable'),
        (response) => refuse(response, 429, 'TooManyRequests'),
        (response) => response.destroy(),
        sends(event('ADDED', 'z', '101')),
      ],
    ),
  )
  await until('+z')
  t.strictSame(lines, ['+a', 'problem: ServiceUnavailable', 'recovered', '+z'], 'told once')
  t.strictSame(versionsOf(server), ['100', '100', '100', '100'])
})

t.test('a server that forbids everything after an outage is asked again soon', async (t) => {
  const pauses: number[] = []
  const sleep: typeof systemClock.sleep = (ms, signal) => {
    pauses.push(ms)
    return systemClock.sleep(ms, signal)
  }
  let before = 0
  const forbids: Stream = (response) => {
    before = pauses.length
    refuse(response, 403, 'Forbidden')
  }
  const breaks: Stream = (response) => void response.destroy()
  const { until } = await watch(
    t,
    serves([['a'], ['a', 'z']], [...Array(4).fill(breaks), forbids, sends()]),
    {},
    { ...systemClock, sleep },
  )
  await until('recovered')
  t.equal(before, 4, `${pauses} ms`)
  t.ok((pauses[4] ?? 0) < 700, `${pauses} ms: the fifth is not as after five failures`)
})

t.test('an outage ends for all watches with the first answer', async (t) => {
  let isAway = false
  const open: ServerResponse[] = []
  const server = await startScriptedServer(t, ({ query }, response) => {
    open.push(response)
    if (isAway) response.destroy()
    else if (query.has('watch')) sends()(response)
    else json(response, listOf(['a']))
  })
  let hasAnswered = false
  let overslept = 0
  const sleep: typeof systemClock.sleep = async (ms, signal) => {
    await systemClock.sleep(ms, signal)
    if (hasAnswered && ms > 500) overslept += 1
  }
  const clock = { ...systemClock, sleep }
  const cluster = await openCluster({ kubeconfig: server.kubeconfig, timeLimit: 10_000, clock })
  t.teardown(() => cluster.close())
  let recovered = 0
  let troubled = 0
  for (let n = 0; n < 3; n += 1) {
    cluster.watch(
      CONFIG_MAPS,
      { namespace: `n${n}` },
      {
        upsert: () => {},
        remove: () => {},
        problem: () => {
          troubled += 1
        },
        recovered: () => {
          recovered += 1
        },
      },
    )
  }
  const asked = () => server.asked.filter(({ query }) => query.has('watch')).length
  await waitFor(() => asked() === 3, { what: 'all watch' })
  isAway = true
  for (const response of open) response.destroy()
  await waitFor(() => troubled === 3 && asked() >= 24, { what: 'pauses grow' })
  isAway = false
  await cluster.get(CONFIG_MAPS, { namespace: 'shop', name: 'a' })
  hasAnswered = true
  await waitFor(() => recovered === 3, { what: 'all go on' })
  t.equal(overslept, 0, 'none sleeps on to its end')
})

t.test('after a restore from a backup, all is listed anew', async (t) => {
  // The API server agrees to watch from a version that it has not come to yet, and is silent.
  const world = { away: false, restored: false }
  const open: ServerResponse[] = []
  const { server, until, lines } = await watch(t, ({ query }, response) => {
    open.push(response)
    if (world.away) response.destroy()
    else if (!query.has('watch')) {
      json(response, world.restored ? listOf(['b'], { resourceVersion: '90' }) : listOf(['a']))
    } else if (world.restored && query.get('resourceVersion') === '90') {
      sends(event('ADDED', 'c', '91'))(response)
    } else sends()(response)
  })
  await until('+a')
  await waitFor(() => versionsOf(server).length === 1, { what: 'it watches' })
  world.away = true
  for (const response of open) response.destroy()
  await until('problem: Unreachable')
  Object.assign(world, { away: false, restored: true })
  await until('+c')
  t.strictSame(lines.slice(-4), ['recovered', '+b', '-a', '+c'])
})

t.test('a server that answers nothing good at first', async (t) => {
  const { server, until, lines, watching } = await watch(t, (_, response) =>
    refuse(response, 403, 'Forbidden'),
  )
  await until('problem: Forbidden')
  t.equal(watching.isSynced(), false)
  server.script = serves([['a']], [sends()])
  await until('recovered')
  t.equal(watching.isSynced(), true)
  t.strictSame(lines, ['problem: Forbidden', '+a', 'recovered'])
})

t.test('a handler that throws is told of, and the watch goes on', async (t) => {
  const { until, errors } = await watch(
    t,
    serves([['poison', 'a']], [sends(event('ADDED', 'poison', '61'), event('ADDED', 'b'))]),
  )
  await until('+b')
  t.strictSame(errors, Array(2).fill('what was told by watch configmaps failed'))
})

t.test('a signal ends a watch', async (t) => {
  const leaving = new AbortController()
  const { server, watching } = await watch(t, serves([['a']], [sends()]), {
    signal: leaving.signal,
  })
  await watching.synced
  await waitFor(() => server.asked.length === 2, { what: 'the stream is open' })
  leaving.abort()
  await watching.close()
  t.equal(server.asked.length, 2)
})

t.test('a connection that falls silent is noticed', async (t) => {
  const server = await startScriptedServer(t, (_, response) => sends(event('ADDED', 'a'))(response))
  const tls = { ca: server.ca }
  const access = await openAccess({
    server: server.url,
    namespace: undefined,
    proxy: undefined,
    current: async () => ({ headers: {}, tls }),
    renew: async () => {},
  })
  t.teardown(() => access.close())
  const events = watchEvents({
    what: 'watch configmaps',
    path: '/api/v1/configmaps',
    server: server.url,
    access,
    signal: new AbortController().signal,
    silence: () => 2_000,
  })
  t.strictSame((await events.next()).value, [])
  t.match((await events.next()).value, [{ type: 'ADDED' }])
  await t.rejects(events.next(), { reason: 'Timeout', message: /within 2000 ms/ })
})

t.test('lines are cut where they end, wherever the chunks do', (t) => {
  const text = 'ä€𝄞\n\n{"x":"é"}\r\nlast'
  const bytes = Buffer.from(text)
  for (let size = 1; size <= bytes.length; size += 1) {
    const splitter = createLineSplitter(100)
    const lines: string[] = []
    for (let at = 0; at < bytes.length; at += size) {
      lines.push(...splitter.push(bytes.subarray(at, at + size)).map(String))
    }
    t.strictSame(lines, ['ä€𝄞', '{"x":"é"}\r'], `in chunks of ${size}`)
  }
  const splitter = createLineSplitter(4)
  t.strictSame(splitter.push(Buffer.from('1234\n1234\n12')).map(String), ['1234', '1234'])
  t.throws(() => splitter.push(Buffer.from('345')), RangeError)
  t.end()
})

const RESOURCE = { group: 'x.test', version: 'v1', plural: 'xs', kind: 'X', namespaced: true }
function definition(version: string, established: boolean, resourceVersion: string) {
  return {
    metadata: { name: 'xs.x.test', resourceVersion },
    spec: { versions: [{ name: version, served: true }] },
    status: { conditions: [{ type: 'Established', status: established ? 'True' : 'False' }] },
  }
}

t.test('a definition that comes and goes is noticed', async (t) => {
  const told = (type: string, version: string, established: boolean, at: string) =>
    `${JSON.stringify({ type, object: definition(version, established, at) })}\n`
  let stream: ServerResponse | undefined
  const server = await startScriptedServer(t, ({ path, query }, response) => {
    if (path === '/apis/x.test/v1') refuse(response, 404, 'NotFound')
    else if (!query.has('watch')) json(response, listOf([]))
    else {
      sends()(response)
      stream = response
    }
  })
  const cluster = await openCluster({ kubeconfig: server.kubeconfig })
  t.teardown(() => cluster.close())
  const answers: boolean[] = []
  const stop = cluster.whenServed(RESOURCE, (served) => answers.push(served))
  const until = (count: number) =>
    waitFor(() => answers.length === count, { what: `${count} answers` })
  await until(1)
  await waitFor(() => stream !== undefined, { what: 'the stream is open' })
  stream?.write(told('ADDED', 'v1', false, '101'))
  stream?.write(told('MODIFIED', 'v1', true, '102'))
  await until(2)
  stream?.write(told('MODIFIED', 'v2', true, '103'))
  await until(3)
  stream?.write(told('MODIFIED', 'v1', true, '104'))
  await until(4)
  stream?.write(told('DELETED', 'v1', true, '105'))
  await until(5)
  t.strictSame(answers, [false, true, false, true, false])
  const [first] = server.asked
  t.match(first?.path, CUSTOM_RESOURCE_DEFINITIONS.plural)
  t.equal(first?.query.get('fieldSelector'), 'metadata.name=xs.x.test')
  stop()
})

t.test('without the right to see definitions, discovery is looked at', async (t) => {
  const server = await startScriptedServer(t, ({ path }, response) => {
    if (path === '/apis/x.test/v1') json(response, { resources: [{ name: 'xs' }] })
    else refuse(response, 403, 'Forbidden')
  })
  const cluster = await openCluster({ kubeconfig: server.kubeconfig })
  t.teardown(() => cluster.close())
  const served = await new Promise((resolve) => cluster.whenServed(RESOURCE, resolve))
  t.equal(served, true)
  t.equal(server.asked.length, 2)
})
