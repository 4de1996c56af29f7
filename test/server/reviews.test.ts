import { once } from 'node:events'
import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { TagwardenError } from '../../src/errors.ts'
import type { ServerOptions } from '../../src/server/index.ts'
import { readTimeout } from '../../src/server/raw_json.ts'
import { waitFor } from '../cluster/child.ts'
import { call, startServer } from './fixture.ts'

type Handler = ServerOptions['handlers'][string]

t.test('each path reaches its own handler with the bytes as they were sent', async (t) => {
  const seen: string[] = []
  const record =
    (name: string): Handler =>
    async (body) => {
      seen.push(`${name} ${body.toString('hex')}`)
      return { status: 200, body: `{"by":"${name}"}` }
    }
  const { url } = await startServer(t, {
    handlers: {
      mutate: record('mutate'),
      validate: record('validate'),
      policies: record('policies'),
    },
  })
  const body = Buffer.from('{"a": "\u00e9"}  \n\xff', 'latin1')
  const mutate = await call(`${url}/mutate?timeout=5s`, { body })
  const validate = await call(`${url}/validate`, { body })
  t.match(mutate, { status: 200, body: '{"by":"mutate"}' })
  t.match(validate, { status: 200, body: '{"by":"validate"}' })
  t.match(await call(`${url}/policies`, { body: '1' }), { status: 200, body: '{"by":"policies"}' })
  t.match(mutate.headers, { 'content-type': /^application\/json/ })
  t.same(seen, [
    `mutate ${body.toString('hex')}`,
    `validate ${body.toString('hex')}`,
    'policies 31',
  ])
})

t.test('the handler learns how long the API server waits and when the request came', async (t) => {
  const calls: { timeoutSeconds: number | undefined; received: number }[] = []
  const mutate: Handler = async (_body, request) => {
    calls.push(request)
    return { status: 200, body: '{}' }
  }
  const { url } = await startServer(t, { handlers: { mutate, validate: mutate } })
  const before = Date.now()
  await call(`${url}/mutate?timeout=1m30s`)
  await call(`${url}/mutate`)
  t.equal(calls[0]?.timeoutSeconds, 90)
  t.equal(calls[1]?.timeoutSeconds, undefined)
  const received = calls[0]?.received ?? 0
  t.ok(received >= before - 1 && received <= Date.now() + 1, 'ms since the epoch')
})

t.test('the handler gets the header of a trace as it came', async (t) => {
  const seen: (string | undefined)[] = []
  const mutate: Handler = async (_body, { traceparent }) => {
    seen.push(traceparent)
    return { status: 200, body: '{}' }
  }
  const { url } = await startServer(t, { handlers: { mutate, validate: mutate } })
  const headers = { 'content-type': 'application/json' }
  await call(`${url}/mutate`, { headers: { ...headers, traceparent: '00-nothing' } })
  await call(`${url}/mutate`, { headers })
  t.strictSame(seen, ['00-nothing', undefined])
})

t.test('a timeout that cannot be read counts as none', async (t) => {
  for (const [value, expected] of [
    ['10s', 10],
    ['1500ms', 1.5],
    ['1h', 3600],
    ['0', undefined],
    ['0s', undefined],
    ['-1s', undefined],
    ['10', undefined],
    ['', undefined],
    ['ten', undefined],
    ['NaNs', undefined],
    ['1s1', undefined],
    ['__proto__', undefined],
    ['9'.repeat(300), undefined],
    [['1s', '2s'], undefined],
    [undefined, undefined],
  ] as const) {
    t.equal(readTimeout(value), expected, JSON.stringify(value) ?? 'undefined')
  }
})

t.test('JSON with a charset, or with no content type at all, is taken', async (t) => {
  const { url } = await startServer(t)
  for (const headers of [
    { 'content-type': 'application/json; charset=utf-8' },
    { 'content-type': 'Application/JSON' },
    { 'content-length': '2' },
  ]) {
    t.match(await call(`${url}/mutate`, { headers }), { status: 200 }, JSON.stringify(headers))
  }
})

t.test('another content type gets 415 and says which one is wanted', async (t) => {
  const { url } = await startServer(t)
  for (const type of ['text/plain', 'application/xml', 'garbage', 'application/jsonp']) {
    const answer = await call(`${url}/mutate`, { headers: { 'content-type': type } })
    t.equal(answer.status, 415, type)
    t.match(JSON.parse(answer.body), { kind: 'Status', message: /application\/json/, code: 415 })
  }
})

t.test('a request without a body reaches the handler as an empty one', async (t) => {
  const mutate: Handler = async (body) => ({ status: 400, body: `{"length":${body.length}}` })
  const { url } = await startServer(t, { handlers: { mutate, validate: mutate } })
  for (const headers of [{}, { 'content-type': 'application/json' }]) {
    t.match(await call(`${url}/mutate`, { body: '', headers }), {
      status: 400,
      body: '{"length":0}',
    })
  }
})

t.test(
  'a body over the limit gets 413 with the setting to change, and the next one works',
  async (t) => {
    const { url } = await startServer(t, { bodyLimit: 1000 })
    const answer = await call(`${url}/mutate`, { body: Buffer.alloc(1001, 32) })
    t.equal(answer.status, 413)
    t.match(JSON.parse(answer.body), {
      apiVersion: 'v1',
      kind: 'Status',
      status: 'Failure',
      reason: 'ERR_BODY_TOO_LARGE',
      message: /1000 bytes.*listen\.bodyLimit/,
      code: 413,
    })
    t.match(await call(`${url}/mutate`, { body: Buffer.alloc(1000, 32) }), { status: 200 })
  },
)

t.test('a review over the limit is denied, so that its size is no way past a policy', async (t) => {
  const { url } = await startServer(t, { bodyLimit: 1000 })
  const review = (uid: string, size: number) => {
    const head = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"${uid}","x":"`
    return Buffer.from(`${head}${'<'.repeat(size)}"}}`)
  }
  for (const path of ['mutate', 'validate']) {
    const answer = await call(`${url}/${path}`, { body: review('u-1', 5_000_000) })
    t.equal(answer.status, 200)
    t.strictSame(JSON.parse(answer.body), {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: {
        uid: 'u-1',
        allowed: false,
        status: {
          status: 'Failure',
          code: 413,
          reason: 'RequestEntityTooLarge',
          message:
            'the review is larger than 1000 bytes. Raise listen.bodyLimit if such objects are wanted',
        },
      },
    })
  }
  t.equal((await call(`${url}/validate`, { body: review('u-1', 500) })).status, 200)
  t.equal((await call(`${url}/validate`, { body: review('"', 5000) })).status, 413)
})

t.test('large bodies are taken a few at a time, and none is kept waiting for ever', async (t) => {
  const held: (() => void)[] = []
  const validate: Handler = async (body) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    held.push(resolve)
    await promise
    return { status: 200, body: `{"length":${body.length}}` }
  }
  const { url } = await startServer(t, { handlers: { mutate: validate, validate } })
  const head =
    '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-2","x":"'
  const body = Buffer.concat([Buffer.from(head), Buffer.alloc(30 * 1024 * 1024, 32)])
  const first = call(`${url}/validate`, { body })
  const second = call(`${url}/validate`, { body })
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve))
  const third = call(`${url}/validate?timeout=30s`, { body })
  const late = await call(`${url}/validate?timeout=1s`, { body })
  t.equal(late.status, 200)
  t.match(JSON.parse(late.body), {
    response: {
      uid: 'u-2',
      allowed: false,
      status: { code: 503, reason: 'ServiceUnavailable', message: /too many large objects/ },
    },
  })
  const small = call(`${url}/validate`)
  while (held.length < 3) await new Promise((resolve) => setImmediate(resolve))
  held[2]?.()
  t.equal((await small).status, 200, 'small ones do not wait')
  held[0]?.()
  t.match(await first, { status: 200, body: `{"length":${body.length}}` })
  while (held.length < 4) await new Promise((resolve) => setImmediate(resolve))
  for (const end of held) end()
  t.match(await second, { status: 200 })
  t.match(await third, { status: 200 }, 'it is let in when one has left')
})

t.test('a chunked body without a length is held to the same limit', async (t) => {
  const { url } = await startServer(t, { bodyLimit: 1000 })
  const status = await new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
    const request = https.request(`${url}/mutate`, {
      method: 'POST',
      headers,
      rejectUnauthorized: false,
      agent: false,
    })
    request.on('response', (response) => resolve(response.resume().statusCode))
    request.on('error', reject)
    request.write(Buffer.alloc(600))
    request.write(Buffer.alloc(600))
    request.end()
  })
  t.equal(status, 413)
})

t.test('an object of 8 MiB is taken without any setting', async (t) => {
  const { url } = await startServer(t)
  t.match(await call(`${url}/validate`, { body: Buffer.alloc(8 * 1024 * 1024, 32) }), {
    status: 200,
  })
})

t.test('a failure with a code becomes its status and a message that kubectl shows', async (t) => {
  const mutate: Handler = async () => {
    throw new TagwardenError('ERR_INVALID_REVIEW', 'request.uid is missing', {
      remedy: 'Send an AdmissionReview',
      cause: new Error('secret cause'),
    })
  }
  const { url, lines } = await startServer(t, { handlers: { mutate, validate: mutate } })
  const answer = await call(`${url}/mutate`)
  t.same(JSON.parse(answer.body), {
    apiVersion: 'v1',
    kind: 'Status',
    metadata: {},
    status: 'Failure',
    message: 'request.uid is missing. Send an AdmissionReview',
    reason: 'ERR_INVALID_REVIEW',
    code: 400,
  })
  t.equal(answer.status, 400)
  t.same(lines, [], 'the client is told; the log stays quiet')
})

t.test('a bug in a handler gives 500 without a word of it, and the log has it', async (t) => {
  for (const thrown of [new Error('hunter2 in /etc/passwd'), 'hunter2', undefined, null]) {
    const mutate: Handler = async () => {
      throw thrown
    }
    const { url, lines } = await startServer(t, { handlers: { mutate, validate: mutate } })
    const answer = await call(`${url}/mutate`)
    t.equal(answer.status, 500, String(thrown))
    t.match(JSON.parse(answer.body), { kind: 'Status', reason: 'InternalError', code: 500 })
    t.notMatch(answer.body, /hunter2|at .*\.ts|stack/)
    t.equal(lines.length, 1)
    t.match(lines[0], /bug in Tagwarden/)
  }
})

t.test('a handler that throws before it returns a promise is answered too', async (t) => {
  const mutate = (() => {
    throw new Error('at once')
  }) as unknown as Handler
  const { url } = await startServer(t, { handlers: { mutate, validate: mutate } })
  t.match(await call(`${url}/mutate`), { status: 500 })
})

t.test('anything else gets 404 with what there is', async (t) => {
  const { url } = await startServer(t)
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/mutate'],
    ['POST', '/healthz'],
    ['PUT', '/mutate'],
    ['POST', '/mutate/'],
    ['POST', `/${'x'.repeat(3000)}`],
    ['GET', '/__proto__'],
    ['GET', '/../../etc/passwd'],
  ] as const) {
    const answer = await call(`${url}${path}`, { method })
    t.equal(answer.status, 404, `${method} ${path.slice(0, 20)}`)
    t.match(JSON.parse(answer.body), { kind: 'Status', message: /POST \/mutate.*GET \/readyz/ })
    t.ok(answer.body.length < 500, 'what was asked for is not echoed at length')
  }
})

t.test('requests are counted by path and status, and timed', async (t) => {
  const { url, metrics } = await startServer(t, { bodyLimit: 100 })
  await call(`${url}/mutate`)
  await call(`${url}/mutate`)
  await call(`${url}/validate`, { body: 'x'.repeat(101) })
  const { body, headers } = await call(`${url}/metrics`, { method: 'GET' })
  t.match(headers['content-type'], /text\/plain/)
  t.match(body, 'tagwarden_http_requests_total{path="/mutate",status="200"} 2')
  t.match(body, 'tagwarden_http_requests_total{path="/validate",status="413"} 1')
  t.match(body, 'tagwarden_http_request_duration_seconds_count{path="/mutate"} 2')
  t.equal(await metrics.metrics(), body)
})

t.test('the time of a review counts from its head, while its body is still to come', async (t) => {
  const received: number[] = []
  const mutate: Handler = async (_body, request) => {
    received.push(request.received)
    return { status: 200, body: '{}' }
  }
  const { url, metrics } = await startServer(t, { handlers: { mutate, validate: mutate } })
  const request = https.request(`${url}/mutate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': '2', expect: '100-continue' },
    agent: false,
    rejectUnauthorized: false,
  })
  request.flushHeaders()
  await once(request, 'continue')
  const begun = Date.now()
  await sleep(50)
  request.end('{}')
  const [response] = await once(request, 'response')
  response.resume()
  t.ok(received[0]! <= begun + 2, 'the deadline counts what the body took')
  const total = /^tagwarden_http_request_duration_seconds_sum\{path="\/mutate"\} (\S+)$/m
  const seconds = async () => Number(total.exec(await metrics.metrics())?.[1] ?? 0)
  await waitFor(async () => (await seconds()) >= 0.045, { what: 'its time is in the metrics' })
})

t.test('one connection carries many requests', async (t) => {
  const { url } = await startServer(t)
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const first = await call(`${url}/mutate`, { agent })
  const second = await call(`${url}/validate`, { agent })
  t.equal(second.localPort, first.localPort)
})
