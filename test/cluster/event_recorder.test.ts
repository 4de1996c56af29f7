import t from 'tap'
import {
  type ClusterEvent,
  createEventRecorder,
  EVENTS,
  type EventLoss,
  type KubernetesObject,
} from '../../src/cluster/index.ts'
import { createFakeCluster } from '../fakes/cluster.ts'
import { FakeClock } from './fake_clock.ts'

interface Event extends KubernetesObject {
  note: string
  series?: { count: number; lastObservedTime: string }
  regarding: { uid?: string }
}
const MINUTE = 60_000
const ABOUT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'web',
  uid: 'u1',
}
const event = (message: string, about: Partial<ClusterEvent['about']> = {}): ClusterEvent => ({
  about: { ...ABOUT, ...about },
  type: 'Normal',
  reason: 'Promoted',
  message,
})

function start() {
  const cluster = createFakeCluster()
  const clock = new FakeClock()
  const losses: EventLoss[] = []
  const warnings: string[] = []
  const ignore = () => {}
  const events = createEventRecorder(cluster, {
    component: 'promoter',
    instance: 'tagwarden-0',
    clock,
    onLoss: (why) => losses.push(why),
    log: { debug: ignore, info: ignore, error: ignore, warn: (_, text) => warnings.push(text) },
  })
  const all = () => cluster.all<Event>(EVENTS)
  const verbs = () => cluster.calls.map(({ verb }) => verb)
  return { cluster, clock, events, losses, warnings, all, verbs }
}

t.test('an event is written as the API server wants it', async (t) => {
  const { clock, events, all } = start()
  events.record(event('app: web:1.4.1 -> web:1.4.2'))
  await clock.pass(0)
  t.match(all(), [
    {
      metadata: { namespace: 'shop', name: /^web\.[0-9a-f]{16}$/ },
      eventTime: '2026-11-24T12:00:00.000000Z',
      reportingController: 'tagwarden.io/promoter',
      reportingInstance: 'tagwarden-0',
      action: 'Promoted',
      reason: 'Promoted',
      type: 'Normal',
      regarding: ABOUT,
      note: 'app: web:1.4.1 -> web:1.4.2',
    },
  ])
  t.equal(all()[0]?.series, undefined)
  await events.close()
})

t.test('equal events become one with a count, written once a minute', async (t) => {
  const { clock, events, all, verbs } = start()
  for (let each = 0; each < 100; each += 1) {
    events.record(event('a'))
    await clock.pass(100)
  }
  t.equal(all().length, 1)
  t.strictSame(verbs(), ['create'])
  await clock.pass(MINUTE)
  t.strictSame(verbs(), ['create', 'patch'])
  t.match(all()[0]?.series, { count: 100, lastObservedTime: '2026-11-24T12:00:09.900000Z' })
  await clock.pass(10 * MINUTE)
  t.strictSame(verbs(), ['create', 'patch'], 'and nothing more when nothing happens')
  events.record(event('a'))
  await clock.pass(0)
  t.equal(all().length, 2, 'after ten minutes it is a new one')
  await events.close()
})

t.test('what differs is told apart, and what is deleted is made again', async (t) => {
  const { cluster, clock, events, all } = start()
  events.record(event('a'))
  events.record(event('b'))
  events.record(event('a', { uid: 'u2' }))
  events.record({ ...event('a'), type: 'Warning' })
  events.record(event('a'))
  await clock.pass(0)
  t.strictSame(
    all().map(({ note, series }) => [note, series?.count]),
    [
      ['a', 2],
      ['b', undefined],
      ['a', undefined],
      ['a', undefined],
    ],
  )
  const [first] = all()
  cluster.drop(EVENTS, { namespace: 'shop', name: first?.metadata.name ?? '' })
  events.record(event('a'))
  await clock.pass(2 * MINUTE)
  t.match(
    all().find(({ series }) => series !== undefined),
    { note: 'a', series: { count: 3 } },
  )
  await events.close()
})

t.test('one object cannot flood, nor can all of them', async (t) => {
  const { clock, events, all, losses } = start()
  for (let each = 0; each < 40; each += 1) events.record(event(`m${each}`))
  await clock.pass(1_000)
  t.equal(all().length, 25)
  t.strictSame(losses, Array(15).fill('ObjectRate'))
  await clock.pass(5 * MINUTE)
  events.record(event('later'))
  events.record(event('too soon'))
  await clock.pass(0)
  t.equal(all().at(-1)?.note, 'later')
  t.equal(losses.length, 16)

  await clock.pass(1_000)
  losses.length = 0
  for (let each = 0; each < 2_000; each += 1) events.record(event('m', { name: `w${each}` }))
  t.equal(losses.filter((why) => why === 'QueueFull').length, 1_000)
  const before = all().length
  await clock.pass(0)
  t.equal(all().length - before, 50)
  await clock.pass(10_000)
  t.equal(all().length - before, 150)
  void events.close()
  await clock.pass(0)
  t.equal(all().length - before, 1_000, 'and close writes the rest')
})

t.test('an API server that refuses loses events, and nothing else', async (t) => {
  const { cluster, clock, events, all, losses, warnings } = start()
  const allow = cluster.refuse('create', EVENTS, 'Forbidden')
  events.record(event('a'))
  events.record(event('b'))
  await clock.pass(0)
  t.strictSame(losses, ['Refused', 'Refused'])
  t.equal(warnings.length, 1)
  allow()
  events.record(event('a'))
  await clock.pass(0)
  t.equal(all().length, 1)
  cluster.available = false
  events.record(event('c'))
  await clock.pass(0)
  t.equal(losses.length, 3)
  await events.close()
  events.record(event('d'))
  await clock.pass(0)
  t.equal(losses.length, 3)
})

t.test('close waits for no more than a moment', async (t) => {
  const { cluster, clock } = start()
  const hanging = { ...cluster, create: () => new Promise<never>(() => {}) }
  const events = createEventRecorder(hanging, { component: 'x', clock })
  events.record(event('a'))
  await clock.pass(0)
  let closed = false
  void events.close().then(() => {
    closed = true
  })
  await clock.pass(2_000)
  t.equal(closed, false)
  await clock.pass(1_000)
  t.equal(closed, true)
})

t.test('texts of every kind fit', async (t) => {
  const { clock, events, all } = start()
  const rows: [name: string, message: string][] = [
    ['', ''],
    ['__proto__', '__proto__'],
    ['Web:v1', 'ä'.repeat(2_000)],
    ['x'.repeat(253), '𝄞'.repeat(2_000)],
    ['a.-', '\u0000\n'],
  ]
  for (const [name, message] of rows) events.record(event(message, { name }))
  events.record({ ...event('m'), reason: 'R'.repeat(500) })
  events.record(event('cluster', { namespace: undefined, kind: 'ClusterImagePolicy' }))
  events.record(undefined as never)
  await clock.pass(0)
  t.equal(all().length, rows.length + 2)
  for (const { metadata, note } of all()) {
    t.ok(Buffer.byteLength(note) <= 1_024)
    t.notMatch(note, /\ufffd/)
    t.match(metadata.name, /^(?:[a-z0-9][a-z0-9.-]*\.)?[0-9a-f]{16}$/)
    t.ok(metadata.name.length <= 253)
  }
  t.equal(all().at(-1)?.metadata.namespace, 'default')
  await events.close()
})
