import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import {
  type Cluster,
  CUSTOM_RESOURCE_DEFINITIONS,
  createEventRecorder,
  EVENTS,
  type KubernetesObject,
  NAMESPACES,
  openCluster,
  SECRETS,
} from '../../src/cluster/index.ts'
import { skipWithoutControlPlane } from './assets.ts'
import { CONFIG_MAPS } from './config_maps.ts'
import { type ControlPlane, startControlPlane, waitFor } from './control-plane.ts'

const skip = skipWithoutControlPlane()
const base64 = (text: string) => Buffer.from(text).toString('base64')

interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>
}
const map = (name: string, data: Record<string, string> = {}, namespace = 'default') => ({
  metadata: { namespace, name },
  data,
})

async function etcd<T>(plane: ControlPlane, path: string, body: object): Promise<T> {
  const answer = await fetch(`${plane.etcd}/v3/kv/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`etcd answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}

function watched(cluster: Cluster, namespace: string) {
  const names = new Map<string, string>()
  const lines: string[] = []
  const watching = cluster.watch<ConfigMap>(
    CONFIG_MAPS,
    { namespace },
    {
      upsert: ({ metadata, data }) => {
        names.set(metadata.name, data?.['a'] ?? '')
        lines.push(`+${metadata.name}`)
      },
      remove: ({ name }) => {
        names.delete(name)
        lines.push(`-${name}`)
      },
      problem: () => lines.push('problem'),
      recovered: () => lines.push('recovered'),
    },
  )
  const until = (what: string, check: () => boolean) => waitFor(check, { what })
  return { names, lines, watching, until }
}

t.test('a client of a real API server', { skip }, async (t) => {
  // Without the feature the API server keeps no snapshots, so that a list can expire.
  const flags = ['--feature-gates=ListFromCacheSnapshot=false']
  const plane = await startControlPlane({ flags })
  t.teardown(() => plane.stop())
  const cluster = await openCluster({ kubeconfig: plane.kubeconfig })
  t.teardown(() => cluster.close())
  const makeNamespace = (name: string) => cluster.create(NAMESPACES, { metadata: { name } })
  const reasonOf = (work: Promise<unknown>) =>
    work.then(
      () => 'none',
      (error) => `${error.answer} ${error.reason}`,
    )

  await t.test('1,200 objects come in pages, each once', async (t) => {
    await makeNamespace('many')
    const names = Array.from({ length: 1_200 }, (_, index) => `m${String(index).padStart(4, '0')}`)
    for (let at = 0; at < names.length; at += 50) {
      const some = names.slice(at, at + 50)
      await Promise.all(some.map((name) => cluster.create(CONFIG_MAPS, map(name, {}, 'many'))))
    }
    const pages: string[][] = []
    for await (const page of cluster.pages(CONFIG_MAPS, { namespace: 'many' })) {
      pages.push(page.map(({ metadata }) => metadata.name))
      if (pages.length > 1) continue
      // The list goes on from a moment that etcd forgets.
      await cluster.create(CONFIG_MAPS, map('m0000a', {}, 'many'))
      await cluster.remove(CONFIG_MAPS, { namespace: 'many', name: 'm1100' })
      const now = await etcd<{ header: { revision: string } }>(plane, 'range', { key: 'AA==' })
      await etcd(plane, 'compaction', { revision: now.header.revision, physical: true })
    }
    t.strictSame(pages.map(({ length }) => length).slice(0, 3), [100, 500, 500])
    const all = pages.flat()
    t.equal(new Set(all).size, all.length)
    t.strictSame(
      names.filter((name) => !all.includes(name)),
      ['m1100'],
      'what follows is of a later moment',
    )
  })

  await t.test('writes that conflict, are not allowed, or are none', async (t) => {
    const made = await cluster.create<ConfigMap>(CONFIG_MAPS, map('web', { a: '1' }))
    t.equal(await reasonOf(cluster.create(CONFIG_MAPS, map('web'))), '409 AlreadyExists')
    await cluster.replace(CONFIG_MAPS, { ...made, data: { a: '2' } })
    t.equal(await reasonOf(cluster.replace(CONFIG_MAPS, made)), '409 Conflict')
    const key = { namespace: 'default', name: 'web' }
    const stale = { type: 'merge', body: { metadata: { resourceVersion: '1' } } } as const
    t.equal(await reasonOf(cluster.patch(CONFIG_MAPS, key, stale)), '409 Conflict')
    const wrong = { type: 'json', body: [{ op: 'test', path: '/data/a', value: '9' }] } as const
    t.equal(await reasonOf(cluster.patch(CONFIG_MAPS, key, wrong)), '422 Invalid')
    const dry = await cluster.replace<ConfigMap>(CONFIG_MAPS, map('web', { a: '7' }), {
      dryRun: true,
    })
    t.equal(dry.data?.['a'], '7')
    t.equal((await cluster.get<ConfigMap>(CONFIG_MAPS, key))?.data?.['a'], '2')
    t.equal(await reasonOf(cluster.remove(CONFIG_MAPS, key, { uid: 'x' })), '409 Conflict')
    t.equal(await cluster.remove(CONFIG_MAPS, key, { uid: made.metadata.uid }), true)
    t.equal(await cluster.remove(CONFIG_MAPS, key), false)
    t.equal(await cluster.get(CONFIG_MAPS, key), undefined)
  })

  await t.test('server-side apply owns what it says', async (t) => {
    const key = { namespace: 'default', name: 'applied' }
    const apply = (data: object, fieldManager: string, force = false) =>
      cluster.patch<ConfigMap>(
        CONFIG_MAPS,
        key,
        { type: 'apply', body: { data }, force },
        { fieldManager },
      )
    await apply({ a: '1', b: '1' }, 'ann')
    t.strictSame((await apply({ a: '1' }, 'ann')).data, { a: '1' })
    t.equal(await reasonOf(apply({ a: '2' }, 'bob')), '409 Conflict')
    t.strictSame((await apply({ a: '2' }, 'bob', true)).data, { a: '2' })
  })

  await t.test('an account is refused what it may not', async (t) => {
    await plane.kubectl(['create', 'serviceaccount', 'reader'])
    await plane.kubectl(['create', 'role', 'reader', '--verb=list', '--resource=configmaps'])
    const binding = ['rolebinding', 'reader', '--role=reader', '--serviceaccount=default:reader']
    await plane.kubectl(['create', ...binding])
    const kubeconfig = await plane.kubeconfigFor('default', 'reader')

    // A bound token lives in a file that is written anew; here the first one is no good.
    const config = JSON.parse(readFileSync(kubeconfig, 'utf8'))
    const { token } = config.users[0].user
    const folder = t.testdir({ token: 'none' })
    config.users[0].user = { tokenFile: 'token' }
    writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(config))
    const reader = await openCluster({ kubeconfig: join(folder, 'kubeconfig') })
    t.teardown(() => reader.close())
    const list = async () => {
      for await (const page of reader.pages(CONFIG_MAPS, { namespace: 'default' })) return page
      return []
    }
    t.equal(await reasonOf(list()), '401 Unauthorized')
    writeFileSync(join(folder, 'token'), token)
    t.match(await list(), [{ kind: 'ConfigMap', apiVersion: 'v1' }])
    const key = { namespace: 'default', name: 'x' }
    t.equal(await reasonOf(reader.get(SECRETS, key)), '403 Forbidden')
    const problem = new Promise<Error>((resolve) => {
      reader.watch(SECRETS, {}, { upsert: () => {}, remove: () => {}, problem: resolve })
    })
    t.match((await problem).message, /could not list secrets: .*cannot list resource "secrets"/)
  })

  await t.test('a kind that is defined while we run', async (t) => {
    const resource = { ...CONFIG_MAPS, group: 'x.test', plural: 'xs', kind: 'X' }
    const answers: boolean[] = []
    const stop = cluster.whenServed(resource, (served) => answers.push(served))
    const until = (count: number) =>
      waitFor(() => answers.length >= count, { what: `${count} answers` })
    await until(1)
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    await cluster.create(CUSTOM_RESOURCE_DEFINITIONS, {
      metadata: { name: 'xs.x.test' },
      spec: {
        group: 'x.test',
        scope: 'Namespaced',
        names: { kind: 'X', plural: 'xs' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: schema },
            subresources: { status: {} },
          },
        ],
      },
    } as KubernetesObject)
    await until(2)
    const object = { ...map('one'), spec: { a: 1 }, status: { b: 1 } }
    const made = await waitForMade(() => cluster.create(resource, object))
    t.match(made, { spec: { a: 1 }, status: undefined, metadata: { generation: 1 } })
    const key = { namespace: 'default', name: 'one' }
    const status = { type: 'merge', body: { spec: { a: 9 }, status: { b: 2 } } } as const
    const patched = await cluster.patch(resource, key, status, { subresource: 'status' })
    t.match(patched, { spec: { a: 1 }, status: { b: 2 }, metadata: { generation: 1 } })
    await cluster.remove(CUSTOM_RESOURCE_DEFINITIONS, { name: 'xs.x.test' })
    await until(3)
    t.strictSame(answers, [false, true, false])
    await waitFor(async () => !(await cluster.serves(resource)), {
      what: 'discovery has it no more',
    })
    stop()
  })

  await t.test('events are taken as they are, and kubectl shows their count', async (t) => {
    const about = { apiVersion: 'v1', kind: 'Namespace', name: 'many', uid: 'u' }
    const events = createEventRecorder(cluster, { component: 'test' })
    for (let each = 0; each < 3; each += 1) {
      events.record({ about, type: 'Warning', reason: 'Tried', message: 'ä'.repeat(1_000) })
    }
    const written = async () => {
      for await (const page of cluster.pages<KubernetesObject & { series?: object }>(EVENTS)) {
        const found = page.find((each) => (each as { reason?: string }).reason === 'Tried')
        if (found) return found
      }
      return undefined
    }
    await waitFor(async () => (await written()) !== undefined, { what: 'an event' })
    events.record({ about, type: 'Warning', reason: 'Tried', message: 'ä'.repeat(1_000) })
    await events.close()
    t.match(await written(), { series: { count: 4 } })
    const { stdout } = await plane.kubectl(['get', 'events', '-A', '-o', 'wide'])
    t.match(stdout, /Tried.*namespace\/many/)
  })

  await t.test('a watch outlives the API server, and what etcd forgot', async (t) => {
    await makeNamespace('watched')
    const { names, lines, watching, until } = watched(cluster, 'watched')
    await watching.synced
    await cluster.create(CONFIG_MAPS, map('stays', { a: '1' }, 'watched'))
    await cluster.create(CONFIG_MAPS, map('goes', { a: '1' }, 'watched'))
    await until('both are told', () => names.size === 2)

    // So that the version of the watch is older than all that the new API server knows.
    await cluster.create(CONFIG_MAPS, map('elsewhere'))
    await plane.restartApiServer(async () => {
      const key = base64('/registry/configmaps/watched/goes')
      const gone = await etcd<{ deleted: string }>(plane, 'deleterange', { key })
      t.equal(gone.deleted, '1')
      const { header } = await etcd<{ header: { revision: string } }>(plane, 'range', { key })
      await etcd(plane, 'compaction', { revision: header.revision, physical: true })
    })
    await until('the deletion is told', () => !names.has('goes'))
    await cluster.create(CONFIG_MAPS, map('new', { a: '2' }, 'watched'))
    await until('the new one is told', () => names.has('new'))
    t.strictSame(
      lines.filter((line) => /^[+-]/.test(line)),
      ['+stays', '+goes', '-goes', '+new'],
      'and nothing twice',
    )
    await watching.close()
  })

  await t.test('a slow etcd makes answers late, and none wrong', async () => {
    plane.delayEtcd(150)
    const { names, watching, until } = watched(cluster, 'watched')
    await watching.synced
    const key = { namespace: 'watched', name: 'stays' }
    for (const a of ['3', '4']) {
      await cluster.patch(CONFIG_MAPS, key, { type: 'merge', body: { data: { a } } })
      await until(`a is ${a}`, () => names.get('stays') === a)
    }
    plane.delayEtcd(0)
    await watching.close()
  })

  await t.test('never do two lead, though leaders are killed, stopped and sent away', async (t) => {
    const electors = ['a', 'b', 'c'].map((name) => startElector(plane, name))
    t.teardown(() => {
      for (const { child } of electors) child.kill('SIGKILL')
    })
    const leader = async (...others: string[]) => {
      let found: (typeof electors)[number] | undefined
      await waitFor(
        () => {
          const since = Date.now() - 300
          found = electors.find(
            ({ name, terms }) => !others.includes(name) && (terms().at(-1)?.to ?? 0) > since,
          )
          return found !== undefined
        },
        { what: 'somebody leads' },
      )
      return found as (typeof electors)[number]
    }
    const first = await leader()
    first.child.kill('SIGSTOP')
    const second = await leader(first.name)
    first.child.kill('SIGCONT')
    await delay(500)
    second.child.kill('SIGTERM')
    const third = await leader(second.name)
    third.child.kill('SIGKILL')
    await leader(second.name, third.name)
    const all = electors.flatMap(({ terms }) => terms()).sort((a, b) => a.from - b.from)
    t.ok(all.length >= 4, JSON.stringify(all))
    for (const [index, { from }] of all.entries()) {
      const before = all[index - 1]
      if (before) t.ok(before.to < from, JSON.stringify([before, all[index]]))
    }
  })
})

async function waitForMade<T>(make: () => Promise<T>): Promise<T> {
  let made: T | undefined
  await waitFor(
    async () => {
      made = await make().catch(() => undefined)
      return made !== undefined
    },
    { what: 'it can be made' },
  )
  return made as T
}

function startElector(plane: ControlPlane, name: string) {
  const script = join(import.meta.dirname, 'elector.ts')
  const child = spawn(process.execPath, [script, plane.kubeconfig, name, '2000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (part) => {
    output += part
  })
  /** From when to when it led, as far as it said so. */
  const terms = () => {
    const found: { name: string; from: number; to: number }[] = []
    for (const [, word, text] of output.matchAll(/^(begin|leads) (\d+)$/gm)) {
      const time = Number(text)
      const last = found.at(-1)
      if (word === 'begin' || last === undefined) found.push({ name, from: time, to: time })
      else last.to = time
    }
    return found
  }
  return { name, child, terms }
}
