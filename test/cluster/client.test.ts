import { writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import t, { type Test } from 'tap'
import {
  ClusterError,
  type ClusterOptions,
  type KubernetesObject,
  NAMESPACES,
  openCluster,
} from '../../src/cluster/index.ts'
import { startFakeProxy } from '../fakes/proxy.ts'
import { kubeconfigOf } from './api_server.ts'
import { CONFIG_MAPS } from './config_maps.ts'
import {
  json,
  listOf,
  object,
  refuse,
  type Script,
  startScriptedServer,
} from './scripted_server.ts'

const KEY = { namespace: 'shop', name: 'web' }

async function start(t: Test, script: Script, options: ClusterOptions = {}) {
  const server = await startScriptedServer(t, script)
  const cluster = await openCluster({ kubeconfig: server.kubeconfig, ...options })
  t.teardown(() => cluster.close())
  return { server, cluster }
}

async function failureOf(work: Promise<unknown>): Promise<ClusterError> {
  const error = await work.then(
    () => undefined,
    (reason) => reason,
  )
  if (error instanceof ClusterError) return error
  throw new Error(`no ClusterError, but ${error}`)
}

async function namesOf(pages: AsyncIterable<readonly KubernetesObject[]>): Promise<string[]> {
  const names: string[] = []
  for await (const page of pages) names.push(...page.map((each) => each.metadata.name))
  return names
}

t.test('what is asked, and as whom', async (t) => {
  const { server, cluster } = await start(t, (asked, response) =>
    asked.method === 'DELETE'
      ? refuse(response, 404, 'NotFound')
      : json(response, object('web'), 200),
  )
  t.equal(cluster.server, server.url)
  t.equal(cluster.namespace, 'shop')
  await cluster.get(CONFIG_MAPS, KEY)
  await cluster.create(CONFIG_MAPS, { metadata: KEY }, { dryRun: true })
  await cluster.replace(CONFIG_MAPS, { metadata: KEY }, { subresource: 'status' })
  const apply = { type: 'apply', body: { data: {} }, force: true } as const
  await cluster.patch(CONFIG_MAPS, KEY, apply, { fieldManager: 'ann' })
  await cluster.patch(CONFIG_MAPS, KEY, { type: 'merge', body: {} })
  t.equal(await cluster.remove(CONFIG_MAPS, KEY, { uid: 'u' }), false)
  t.strictSame(
    server.asked.map(({ method, path, query }) => `${method} ${path}?${query}`),
    [
      'GET /api/v1/namespaces/shop/configmaps/web?',
      'POST /api/v1/namespaces/shop/configmaps?fieldManager=tagwarden&dryRun=All',
      'PUT /api/v1/namespaces/shop/configmaps/web/status?fieldManager=tagwarden',
      'PATCH /api/v1/namespaces/shop/configmaps/web?fieldManager=ann&force=true',
      'PATCH /api/v1/namespaces/shop/configmaps/web?fieldManager=tagwarden',
      'DELETE /api/v1/namespaces/shop/configmaps/web?',
    ],
  )
  const types = server.asked.map(({ headers }) => headers['content-type'])
  t.strictSame(types.slice(3, 5), ['application/apply-patch+yaml', 'application/merge-patch+json'])
  t.ok(server.asked.every(({ headers }) => headers.authorization === 'Bearer secret-token'))
  t.match(JSON.parse(server.asked[1]?.body ?? ''), { apiVersion: 'v1', kind: 'ConfigMap' })
  t.match(JSON.parse(server.asked[3]?.body ?? ''), { metadata: KEY, kind: 'ConfigMap' })
  t.match(JSON.parse(server.asked[5]?.body ?? ''), { preconditions: { uid: 'u' } })
})

t.test('a name cannot lead elsewhere', async (t) => {
  const { server, cluster } = await start(t, (_, response) => json(response, object('web')))
  for (const name of ['..', '.', '']) {
    await t.rejects(cluster.get(CONFIG_MAPS, { namespace: 'shop', name }), TypeError)
  }
  await t.rejects(cluster.get(CONFIG_MAPS, { name: 'web' }), TypeError)
  await t.rejects(cluster.get(NAMESPACES, KEY), TypeError)
  await t.rejects(cluster.create(CONFIG_MAPS, { metadata: { name: 'web' } }), TypeError)
  await cluster.get(CONFIG_MAPS, { namespace: 'shop', name: '../x?y#z' })
  t.strictSame(
    server.asked.map(({ path }) => path),
    ['/api/v1/namespaces/shop/configmaps/..%2Fx%3Fy%23z'],
  )
})

t.test('a read outlasts a server that stumbles', async (t) => {
  const faults: Script[] = [
    (_, response) => refuse(response, 500, 'InternalError'),
    (_, response) => refuse(response, 429, 'TooManyRequests', { headers: { 'retry-after': '0' } }),
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"kind":"Conf')
      setImmediate(() => response.destroy())
    },
    (_, response) => response.destroy(),
  ]
  const { server, cluster } = await start(t, (asked, response, count) => {
    const fault = faults[count]
    if (fault) fault(asked, response, count)
    else json(response, object('web'))
  })
  t.match(await cluster.get(CONFIG_MAPS, KEY), { metadata: { name: 'web' } })
  t.equal(server.asked.length, 5)
})

t.test('a read that never works ends with what was said', async (t) => {
  const { server, cluster } = await start(t, (_, response) => refuse(response, 503, 'Weary'))
  const { answer, reason } = await failureOf(cluster.get(CONFIG_MAPS, KEY))
  t.strictSame([answer, reason], [503, 'Weary'])
  t.equal(server.asked.length, 5)
})

t.test('a write is sent again only when nothing was done', async (t) => {
  const { server, cluster } = await start(t, (_, response, count) =>
    count === 0
      ? refuse(response, 429, 'TooManyRequests', { headers: { 'retry-after': '1' } })
      : refuse(response, 500, 'InternalError'),
  )
  const begin = performance.now()
  const error = await failureOf(cluster.create(CONFIG_MAPS, { metadata: KEY }))
  t.ok(performance.now() - begin > 900, 'it waits as long as it is told to')
  t.equal(error.answer, 500)
  t.equal(server.asked.length, 2)
  server.script = (_, response) => response.destroy()
  t.equal((await failureOf(cluster.remove(CONFIG_MAPS, KEY))).reason, 'Unreachable')
  t.equal(server.asked.length, 3)
})

t.test('who asks for patience beyond the time limit is told about', async (t) => {
  const { server, cluster } = await start(t, (_, response) =>
    refuse(response, 429, 'TooManyRequests', { headers: { 'retry-after': '3600' } }),
  )
  t.equal((await failureOf(cluster.get(CONFIG_MAPS, KEY))).reason, 'TooManyRequests')
  t.equal(server.asked.length, 1)
})

t.test('refusals say what was wanted, why not, and what to do, and no secret', async (t) => {
  const { server, cluster } = await start(t, (_, response) =>
    refuse(response, 403, 'Forbidden', { message: 'ann may\nnot\u0000' }),
  )
  const get = () => failureOf(cluster.get(CONFIG_MAPS, KEY))
  const forbidden = await get()
  t.equal(forbidden.message, 'could not read configmaps "web" in shop: ann may not')
  t.match(forbidden.remedy, /Role/)

  server.script = (_, response) => refuse(response, 422, 'Invalid', { message: 'x'.repeat(1e5) })
  t.ok((await get()).message.length < 1200)

  server.script = (_, response) => refuse(response, 401, 'Unauthorized')
  t.match(await get(), { answer: 401, remedy: /token or certificate/ })

  const page = '<html>secret-token</html>'
  for (const status of [200, 404, 500]) {
    server.script = (_, response) => {
      response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
      response.end(page)
    }
    const strange = await get()
    t.equal(strange.answer, status)
    t.notMatch(`${strange.message} ${strange.stack} ${strange.cause}`, /secret-token/)
  }

  server.script = () => {}
  const hasty = await openCluster({ kubeconfig: server.kubeconfig, timeLimit: 300 })
  t.teardown(() => hasty.close())
  t.match(await failureOf(hasty.get(CONFIG_MAPS, KEY)), {
    answer: 0,
    reason: 'Timeout',
    message: /within 300 ms/,
  })
  const leaving = AbortSignal.timeout(20)
  t.match(await failureOf(cluster.get(CONFIG_MAPS, KEY, { signal: leaving })), {
    reason: 'Aborted',
  })

  server.script = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`"${'x'.repeat(9 * 1024 * 1024)}"`)
  }
  t.equal((await get()).reason, 'TooLarge')
})

t.test('nobody there, and an authority that is not known', async (t) => {
  const { server } = await start(t, () => {})
  const other = join(t.testdir(), 'kubeconfig')
  const open = async (url: string, ca: string) => {
    writeFileSync(other, kubeconfigOf(url, ca, { token: 'secret-token' }))
    const cluster = await openCluster({ kubeconfig: other, timeLimit: 20_000 })
    t.teardown(() => cluster.close())
    return failureOf(cluster.create(NAMESPACES, { metadata: { name: 'x' } }))
  }
  t.match(await open('https://127.0.0.1:1', server.ca), {
    reason: 'Unreachable',
    message: /refused the connection \(ECONNREFUSED\)/,
  })
  const { rootCertificates } = await import('node:tls')
  t.match(await open(server.url, rootCertificates[0] ?? ''), { message: /is not trusted/ })
})

t.test('many questions at once share a bounded number of connections', async (t) => {
  const sockets = new Set<unknown>()
  const { server, cluster } = await start(t, (_, response) => {
    sockets.add(response.socket)
    setImmediate(() => json(response, object('web')))
  })
  await Promise.all(Array.from({ length: 300 }, () => cluster.get(CONFIG_MAPS, KEY)))
  t.equal(server.asked.length, 300)
  t.ok(sockets.size <= 64, `${sockets.size} connections`)
})

t.test('a 404 is an object that is missing, from an API server', async (t) => {
  const { server, cluster } = await start(t, (_, response) => refuse(response, 404, 'NotFound'))
  t.equal(await cluster.get(CONFIG_MAPS, KEY), undefined)
  server.script = (_, response) => {
    response.writeHead(404, { 'content-type': 'text/plain' })
    response.end('404 page not found\n')
  }
  t.equal(await cluster.get(CONFIG_MAPS, KEY), undefined)
  t.equal(await cluster.serves(CONFIG_MAPS), false)
  t.equal((await failureOf(namesOf(cluster.pages(CONFIG_MAPS)))).reason, 'NotFound')
})

t.test('a token that was refused is read again, once', async (t) => {
  const folder = t.testdir({ token: 'old', kubeconfig: '' })
  const { server } = await start(t, () => {})
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigOf(server.url, server.ca, { tokenFile: 'token' }))
  const cluster = await openCluster({ kubeconfig })
  t.teardown(() => cluster.close())
  server.script = ({ headers }, response) =>
    headers.authorization === 'Bearer new'
      ? json(response, object('web'))
      : refuse(response, 401, 'Unauthorized')
  t.equal((await failureOf(cluster.get(CONFIG_MAPS, KEY))).answer, 401)
  t.equal(server.asked.length, 2)
  writeFileSync(join(folder, 'token'), 'new\n')
  await Promise.all(Array.from({ length: 5 }, () => cluster.get(CONFIG_MAPS, KEY)))
  await cluster.get(CONFIG_MAPS, KEY)
  t.ok(server.asked.length <= 13, 'with the new token from then on')
})

t.test('in a pod, the service account', async (t) => {
  const { server } = await start(t, ({ headers }, response) =>
    headers.authorization === 'Bearer second'
      ? json(response, object('web'))
      : refuse(response, 401, 'Unauthorized'),
  )
  const folder = t.testdir({ token: 'first\n', namespace: 'warden\n', 'ca.crt': server.ca })
  const environment = {
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: new URL(server.url).port,
  }
  const cluster = await openCluster({ environment, serviceAccount: folder })
  t.teardown(() => cluster.close())
  t.equal(cluster.namespace, 'warden')
  writeFileSync(join(folder, 'token'), 'second\n')
  t.match(await cluster.get(CONFIG_MAPS, KEY), { metadata: { name: 'web' } })
  t.match(await failureOf(openCluster({ environment: {} })), { message: /no pod/ })
  t.match(await failureOf(openCluster({ environment, serviceAccount: join(folder, 'none') })), {
    message: /cannot be read/,
  })
})

t.test('several kubeconfigs count together; of what has the same name, the first', async (t) => {
  const { server } = await start(t, (_, response) => json(response, object('web')))
  const text = kubeconfigOf(server.url, server.ca, { token: 'second' })
  const [name = ''] = /(?<=current-context"?: *"?)[\w-]+/.exec(text) ?? []
  const folder = t.testdir({
    contexts: JSON.stringify({
      contexts: [{ name: 'shop', context: { cluster: name, user: 'ann' } }],
    }),
    users: JSON.stringify({ users: [{ name: 'ann', user: { tokenFile: 'token' } }] }),
    token: 'of-ann',
    empty: '# nothing\n',
    all: text,
    other: kubeconfigOf('https://other.invalid', server.ca, { token: 'third' }),
  })
  const kubeconfig = ['empty', 'contexts', 'users', 'all', 'other'].map((file) =>
    join(folder, file),
  )
  const asked = async (context?: string) => {
    const cluster = await openCluster({ kubeconfig, ...(context && { context }) })
    await cluster.get(CONFIG_MAPS, KEY).finally(() => cluster.close())
    return server.asked.at(-1)?.headers.authorization
  }
  t.equal(await asked(), 'Bearer second')
  t.equal(await asked('shop'), 'Bearer of-ann')
  const error = await failureOf(openCluster({ kubeconfig, context: 'none' }))
  t.match(error.message, `${kubeconfig.join(delimiter)} has no context none`)
  writeFileSync(join(folder, 'users'), '{')
  t.match(await failureOf(openCluster({ kubeconfig })), { message: /users cannot be read/ })
})

t.test(
  'the API server is asked through the proxy that kubeconfig or environment name',
  async (t) => {
    const { server } = await start(t, (_, response) => json(response, object('web')))
    const proxy = await startFakeProxy({ hosts: { 'api.test': '127.0.0.1' } })
    t.teardown(() => proxy.close())
    const { port } = new URL(server.url)
    const kubeconfig = join(t.testdir({}), 'kubeconfig')
    const text = kubeconfigOf(`https://api.test:${port}`, server.ca, { token: 'ann' })
    const config = JSON.parse(text)
    config.clusters[0].cluster['tls-server-name'] = '127.0.0.1'
    writeFileSync(kubeconfig, JSON.stringify(config))
    const ask = async (environment: Record<string, string>) => {
      const cluster = await openCluster({ kubeconfig, environment, timeLimit: 20_000 })
      try {
        return await cluster.get(CONFIG_MAPS, KEY)
      } finally {
        await cluster.close()
      }
    }
    t.match(await ask({ HTTPS_PROXY: proxy.address }), { metadata: { name: 'web' } })
    t.strictSame(proxy.passed.splice(0), [`CONNECT api.test:${port}`])
    await t.rejects(ask({ HTTPS_PROXY: proxy.address, NO_PROXY: '.test' }), /api\.test/)
    t.strictSame(proxy.passed, [])
    config.clusters[0].cluster['proxy-url'] = proxy.address
    writeFileSync(kubeconfig, JSON.stringify(config))
    t.match(await ask({ HTTPS_PROXY: 'http://127.0.0.1:1' }), { metadata: { name: 'web' } })
    await proxy.close()
    const { host } = new URL(proxy.address)
    const through = new RegExp(`:${port} through the proxy ${host} refused the connection`)
    await t.rejects(ask({}), { message: through })
  },
)

t.test('what is no kubeconfig is said, without its content', async (t) => {
  const { server } = await start(t, () => {})
  const rows: [content: string | undefined, message: RegExp][] = [
    [undefined, /cannot be read as a kubeconfig \(ENOENT\)/],
    ['{ token: secret-token', /cannot be read as a kubeconfig$/],
    ['[]', /names no current cluster/],
    ['', /names no current cluster/],
    [kubeconfigOf('shop.example', server.ca, {}), /is no URL/],
    [kubeconfigOf('http://127.0.0.1:8080', server.ca, {}), /without TLS/],
  ]
  const path = join(t.testdir({}), 'kubeconfig')
  for (const [content, message] of rows) {
    if (content !== undefined) writeFileSync(path, content)
    const error = await failureOf(openCluster({ kubeconfig: path }))
    t.match(error.message, message)
    t.notMatch(`${error.message} ${error.cause}`, /secret-token/)
  }
  const context = 'none'
  const error = await failureOf(openCluster({ kubeconfig: server.kubeconfig, context }))
  t.match(error.message, /has no context none/)
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh' }
  writeFileSync(
    path,
    kubeconfigOf(server.url, server.ca, {
      exec: { ...exec, args: ['-c', 'echo secret-token >&2; exit 1'] },
    }),
  )
  const cluster = await openCluster({ kubeconfig: path, timeLimit: 20_000 })
  const refused = await failureOf(cluster.get(CONFIG_MAPS, KEY))
  t.match(refused.message, /credentials that cannot be used/)
  t.notMatch(`${refused.message} ${refused.cause}`, /secret-token/)
})

t.test('objects are counted by a list of one, where the API server can', async (t) => {
  const rows: [names: string[], metadata: object, count: number | undefined][] = [
    [[], {}, 0],
    [['a'], {}, 1],
    [['a'], { continue: 'x', remainingItemCount: 4_999 }, 5_000],
    [['a'], { continue: 'x' }, undefined],
    [['a'], { continue: 'x', remainingItemCount: 'many' }, undefined],
  ]
  for (const [names, metadata, count] of rows) {
    const { server, cluster } = await start(t, (_, response) => {
      json(response, listOf(names, metadata))
    })
    t.equal(await cluster.count(CONFIG_MAPS, { namespace: 'shop' }), count)
    t.match(server.asked, [{ path: /\/namespaces\/shop\/configmaps$/ }])
    t.equal(String(server.asked[0]?.query), 'limit=1')
  }
})

t.test('a list whose continuation expired has no gap and no twin', async (t) => {
  const names = Array.from({ length: 30 }, (_, index) => `c${String(index).padStart(2, '0')}`)
  const page = (from: number, token: string) =>
    listOf(names.slice(from, from + 10), from + 10 < names.length ? { continue: token } : {})
  for (const token of ['inconsistent', undefined]) {
    const { server, cluster } = await start(t, ({ query }, response) => {
      const asked = query.get('continue')
      if (asked === null) json(response, page(0, 'old'))
      else if (asked === 'old') {
        server.script = ({ query }, response) => {
          const next = query.get('continue') ?? '0'
          const from = next === 'inconsistent' ? 10 : Number(next)
          json(response, page(from, `${from + 10}`))
        }
        refuse(response, 410, 'Expired', { metadata: token ? { continue: token } : {} })
      }
    })
    t.strictSame(await namesOf(cluster.pages(CONFIG_MAPS)), names)
  }
  const { cluster } = await start(t, ({ query }, response) =>
    query.has('continue')
      ? refuse(response, 410, 'Expired', { metadata: { continue: 'again' } })
      : json(response, page(0, 'old')),
  )
  t.equal((await failureOf(namesOf(cluster.pages(CONFIG_MAPS)))).answer, 410, 'not for ever')
})

t.test('a page that is too large is asked for in parts', async (t) => {
  const { server, cluster } = await start(t, ({ query }, response) => {
    if (Number(query.get('limit')) > 10) {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(`"${'x'.repeat(17 * 1024 * 1024)}"`)
    } else json(response, listOf(['a', 'b']))
  })
  t.strictSame(await namesOf(cluster.pages(CONFIG_MAPS)), ['a', 'b'])
  t.strictSame(
    server.asked.map(({ query }) => query.get('limit')),
    ['100', '25', '7'],
  )
  const long = 'x'.repeat(100_000)
  const ends = ['1', undefined]
  const pages = [long, 'y'].map((data, index) => ({
    metadata: { resourceVersion: '1', continue: ends[index] },
    items: [object('a', '1', { data })],
  }))
  server.script = ({ query }, response) => json(response, pages[query.has('continue') ? 1 : 0])
  await namesOf(cluster.pages(CONFIG_MAPS))
  t.equal(server.asked.at(-1)?.query.get('limit'), '20', '2 MiB of such objects')
  for (const items of ['x', [null], [{}], [{ metadata: {} }]]) {
    server.script = (_, response) => json(response, { metadata: {}, items })
    t.equal((await failureOf(namesOf(cluster.pages(CONFIG_MAPS)))).reason, 'StrangeAnswer')
  }
})
