import t from 'tap'
import {
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  IMAGE_POLICIES,
  JOBS,
  NAMESPACES,
  REPLICA_SETS,
  STATEFUL_SETS,
} from '../../src/cluster/index.ts'
import { type Promotion, parseCron } from '../../src/policies/index.ts'
import { HOUR, MINUTE, NOW, policy, refusingResults } from '../fakes/facts.ts'
import { deploy, resolved, running, SECOND, storePolicy, trackAll, WEB, world } from './world.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']
const NEW = ['v1.3.0', 'v1.4.1', 'v1.4.2', 'v1.4.3']

const paced = (promotion: Partial<Promotion>) =>
  trackAll({ promotion: { windows: [], maxPerMinute: 0, canary: 0, ...promotion } })

const rolledBack = (name: string, from: string) =>
  running(name, 'v1.4.2', {
    metadata: {
      annotations: {
        'tagwarden.io/images': JSON.stringify([
          {
            ...{ container: 'app', requested: `${WEB}:v1.3.0`, resolved: resolved('v1.4.2') },
            ...{ policy: 'ImagePolicy shop/web', rolledBackFrom: from },
          },
        ]),
      },
    },
  })

t.test('canary: one is moved first, and the others wait until it is available', async (t) => {
  const w = world(t, [paced({ canary: 1 })])
  deploy(w, NAMES)
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['a'])
  await w.pass(20 * MINUTE)
  t.strictSame(w.moved(), ['a'])
  w.rollOut('a')
  await w.pass(10 * SECOND)
  t.strictSame(w.moved(), NAMES)
  t.notOk(w.told('ImagePolicy').includes('web PromotionStopped'))
})

t.test('canary: two are waited for, one after the other', async (t) => {
  const w = world(t, [paced({ canary: 2 })])
  deploy(w, NAMES)
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  w.rollOut()
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['a', 'b'])
  w.rollOut()
  await w.pass(MINUTE)
  t.strictSame(w.moved(), NAMES)
})

t.test(
  'a canary that is not available in time stops the wave, until another version',
  async (t) => {
    const w = world(t, [paced({ canary: 1 })])
    deploy(w, NAMES)
    w.lead()
    w.scan(NEW)
    await w.pass(31 * MINUTE)
    t.strictSame(w.moved(), ['a'])
    const stopped = w.events.filter(({ reason }) => reason === 'PromotionStopped')
    t.match(stopped, [
      {
        type: 'Warning',
        about: { kind: 'Deployment', name: 'a' },
        message: /not available after 30m/,
      },
      {
        type: 'Warning',
        about: { kind: 'ImagePolicy', name: 'web' },
        message: /Deployment shop\/a/,
      },
    ])
    w.scan([...NEW, 'main-1'])
    await w.pass(HOUR)
    t.strictSame(w.moved(), ['a'], 'it is not tried again')
    w.scan([...NEW, 'v1.4.4'])
    await w.pass(MINUTE)
    t.strictSame(w.moved(), ['a', 'a'], 'another version begins with a canary again')
    w.rollOut()
    await w.pass(MINUTE)
    t.strictSame(Object.values(w.tags()), Array(5).fill('v1.4.4'))
  },
)

t.test('a rollout that its controller gives up stops the wave at once', async (t) => {
  const w = world(t, [paced({ canary: 1 })])
  deploy(w, NAMES)
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  const [first] = w.cluster.all(DEPLOYMENTS)
  const conditions = [
    { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'x' },
  ]
  const status = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, conditions }
  w.cluster.put(DEPLOYMENTS, { ...first, status } as never)
  await w.pass(SECOND)
  t.match(w.events.at(-1), { reason: 'PromotionStopped', message: /ProgressDeadlineExceeded/ })
  t.strictSame(w.moved(), ['a'])
})

t.test('a canary that somebody takes back stops the wave', async (t) => {
  const w = world(t, [paced({ canary: 1 })])
  deploy(w, NAMES)
  const stop = w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  w.cluster.put(DEPLOYMENTS, rolledBack('a', 'v1.4.3') as never)
  await w.pass(MINUTE)
  t.match(w.events.at(-1), { reason: 'PromotionStopped', message: /changed its image/ })
  await stop()
  w.lead()
  await w.pass(HOUR)
  t.strictSame(w.moved(), ['a'], 'the next leader sees that it was rolled back')
  t.match(w.events.at(-1), { reason: 'PromotionStopped', message: /rolled back/ })
})

t.test(
  'a leader that ends after any step leaves each workload to be moved exactly once',
  async (t) => {
    for (const canary of [0, 2]) {
      for (let step = 0; step < 40; step += 1) {
        const w = world(t, [paced({ canary, maxPerMinute: 20 })])
        deploy(w, NAMES)
        const stop = w.lead()
        w.scan(NEW)
        for (let pass = 0; pass < step; pass += 1) {
          await w.pass(500)
          if (pass % 3 === 0) w.rollOut()
        }
        await stop()
        w.lead()
        for (let pass = 0; pass < 60; pass += 1) {
          await w.pass(SECOND)
          w.rollOut()
        }
        t.strictSame(w.moved(), NAMES, `canary ${canary}, ended at step ${step}`)
        const promoted = w.told('Deployment').filter((each) => each.endsWith('Promoted'))
        t.equal(promoted.length, 5)
      }
    }
  },
)

t.test('a canary of the leader before still has to be available', async (t) => {
  const w = world(t, [paced({ canary: 1 })])
  deploy(w, NAMES)
  const stop = w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  await stop()
  w.lead()
  await w.pass(10 * MINUTE)
  t.strictSame(w.moved(), ['a'])
  w.rollOut()
  await w.pass(MINUTE)
  t.strictSame(w.moved(), NAMES)
})

t.test('two leaders at once move each workload once', async (t) => {
  const w = world(t)
  deploy(w, NAMES)
  w.lead()
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.strictSame(Object.values(w.tags()), Array(5).fill('v1.4.3'))
  for (const object of w.cluster.all(DEPLOYMENTS)) t.equal(object.metadata.generation, 2)
})

t.test('who writes in between is not overwritten: the object is read again', async (t) => {
  const w = world(t)
  deploy(w, NAMES)
  w.cluster.refuse('patch', DEPLOYMENTS, 'Conflict', { times: 3, name: 'b' })
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['a', 'b', 'b', 'b', 'b', 'c', 'd', 'e'])
  t.strictSame(Object.values(w.tags()), Array(5).fill('v1.4.3'))
  const patch = w.cluster.calls.find(({ verb }) => verb === 'patch')?.body as { body: object[] }
  t.match(patch.body[0], { op: 'replace', path: '/metadata/resourceVersion' })
})

t.test('a workload that may not be written fails alone; five in a row stop the wave', async (t) => {
  const w = world(t)
  deploy(w, [...NAMES, 'f', 'g', 'h'])
  w.cluster.refuse('patch', DEPLOYMENTS, 'Forbidden', { name: 'b' })
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.equal(w.tags()['b'], 'v1.4.2')
  t.equal(w.tags()['h'], 'v1.4.3')
  t.ok(w.told('Deployment').includes('b PromotionFailed'))
  t.ok(w.told('ImagePolicy').includes('web PromotionFailed'))
  w.cluster.refuse('patch', DEPLOYMENTS, 'Forbidden')
  w.scan([...NEW, 'v1.4.4'])
  await w.pass(HOUR)
  t.ok(w.told('ImagePolicy').includes('web PromotionStopped'))
  t.equal(w.moved().length, 8 + 5)
})

t.test('an API server that is away for a while is waited for', async (t) => {
  for (const after of [0, 300, 450, 600, 900]) {
    const w = world(t, [paced({ canary: 1 })])
    deploy(w, NAMES)
    w.lead()
    w.scan(NEW)
    await w.pass(after)
    w.cluster.available = false
    await w.pass(10 * MINUTE)
    w.cluster.available = true
    for (let pass = 0; pass < 10; pass += 1) {
      await w.pass(30 * SECOND)
      w.rollOut()
    }
    t.strictSame(Object.values(w.tags()), Array(5).fill('v1.4.3'), `away after ${after} ms`)
    for (const object of w.cluster.all(DEPLOYMENTS)) t.equal(object.metadata.generation, 2)
  }
})

t.test('a write that was done but not answered counts, and is not done again', async (t) => {
  const w = world(t)
  deploy(w, ['a'])
  const { patch } = w.cluster
  let first = true
  const cluster = {
    ...w.cluster,
    patch: async (...args: Parameters<typeof patch>) => {
      const answer = await patch(...args)
      if (first) {
        first = false
        w.cluster.available = false
        queueMicrotask(() => {
          w.cluster.available = true
        })
        return patch(...args)
      }
      return answer
    },
  } as typeof w.cluster
  w.lead({ cluster })
  w.scan(NEW)
  await w.pass(MINUTE)
  t.strictSame(w.tags(), { a: 'v1.4.3' })
  t.equal(w.cluster.all(DEPLOYMENTS)[0]?.metadata.generation, 2)
  t.strictSame(w.told('Deployment'), ['a Promoted'])
})

t.test('hold, set in the middle, on a workload or on its namespace', async (t) => {
  const hold = { 'tagwarden.io/hold': 'true' }
  const w = world(t, [paced({ maxPerMinute: 1 })])
  deploy(w, NAMES)
  w.lead()
  w.scan(NEW)
  await w.pass(90 * SECOND)
  t.strictSame(w.moved(), ['a'])
  const [, b] = w.cluster.all(DEPLOYMENTS)
  const annotations = { ...b?.metadata.annotations, ...hold }
  w.cluster.put(DEPLOYMENTS, { ...b, metadata: { ...b?.metadata, annotations } } as never)
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['a', 'c'], 'b is left out')
  w.cluster.put(NAMESPACES, { metadata: { name: 'shop', annotations: hold } })
  await w.pass(HOUR)
  t.strictSame(w.moved(), ['a', 'c'])
})

t.test('a policy that is deleted, or moves nothing any more, ends its wave', async (t) => {
  for (const next of [[], [trackAll({ promote: 'OnApply' })], [trackAll({ action: 'Pin' })]]) {
    const w = world(t, [paced({ maxPerMinute: 1 })])
    deploy(w, NAMES)
    w.lead()
    w.scan(NEW)
    await w.pass(90 * SECOND)
    w.setPolicies(next)
    await w.pass(HOUR)
    t.strictSame(w.moved(), ['a'])
  }
})

t.test('a newer version in the middle of a wave is planned anew', async (t) => {
  const w = world(t, [paced({ maxPerMinute: 1 })])
  deploy(w, NAMES)
  w.lead()
  w.scan(NEW)
  await w.pass(150 * SECOND)
  t.strictSame(w.moved(), ['a', 'b'])
  w.scan([...NEW, 'v1.4.4'])
  await w.pass(5 * MINUTE)
  t.strictSame(w.moved(), ['a', 'b', 'a', 'b', 'c', 'd', 'e'])
  t.strictSame(Object.values(w.tags()), Array(5).fill('v1.4.4'))
})

t.test('the pace holds, also over a change of leaders and of the policy', async (t) => {
  const w = world(t, [paced({ maxPerMinute: 2 })])
  deploy(w, NAMES)
  const at: number[] = []
  let stop = w.lead()
  w.scan(NEW)
  for (let pass = 0; pass < 300; pass += 1) {
    if (pass === 40) {
      await stop()
      stop = w.lead()
    }
    if (pass === 80) w.setPolicies([paced({ maxPerMinute: 2, canary: 0 })])
    await w.pass(SECOND)
    while (at.length < w.moved().length) at.push(w.clock())
  }
  t.equal(at.length, 5)
  t.ok(
    at.every((start) => at.filter((each) => each >= start && each < start + MINUTE).length <= 2),
    String(at),
  )
})

t.test('a closed window: nothing moves until it opens, and that is told once', async (t) => {
  const cron = parseCron('0 14 * * *')
  if ('message' in cron) throw new Error(cron.message)
  const window = { schedule: '0 14 * * *', cron, timeZone: 'UTC', duration: 2 * MINUTE }
  const w = world(t, [paced({ windows: [window], maxPerMinute: 1 })])
  deploy(w, NAMES)
  w.lead()
  w.scan(NEW)
  await w.pass(HOUR)
  w.scan([...NEW, 'v1.4.4'])
  await w.pass(HOUR - SECOND)
  t.strictSame(w.moved(), [])
  t.strictSame(w.told('ImagePolicy'), ['web PromotionWaiting'])
  t.match(w.events[0]?.message, /5 workloads wait for the next window, at 2026-11-24T14:00:00Z/)
  await w.pass(MINUTE)
  t.ok(w.moved().length > 0)
  await w.pass(HOUR)
  const count = w.moved().length
  t.ok(count < 5, 'the rest waits for the next day')
  await w.pass(23 * HOUR)
  t.ok(w.moved().length > count)
})

t.test('what is never moved', async (t) => {
  const w = world(t)
  const owner = { apiVersion: 'x.io/v1', kind: 'X', name: 'x', uid: '1', controller: true }
  deploy(w, ['owned'], 'v1.4.2', { metadata: { ownerReferences: [owner] } })
  deploy(w, ['deleted'], 'v1.4.2', {
    metadata: { deletionTimestamp: '2026-11-24T12:00:00Z', finalizers: ['x.io/x'] },
  })
  deploy(w, ['paused'], 'v1.4.2', {
    spec: { paused: true, template: running('x', 'v1.4.2').spec.template },
  })
  deploy(w, ['held'], 'v1.4.2', { metadata: { annotations: { 'tagwarden.io/hold': 'true' } } })
  w.cluster.put(DEPLOYMENTS, rolledBack('back', 'v1.4.3') as never)
  deploy(w, ['job'], 'v1.4.2', {}, JOBS)
  deploy(w, ['replicas'], 'v1.4.2', {}, REPLICA_SETS)
  w.cluster.put(NAMESPACES, { metadata: { name: 'kube-system' } })
  deploy(w, ['system'], 'v1.4.2', { metadata: { namespace: 'kube-system' } })
  deploy(w, ['set'], 'v1.4.2', {}, STATEFUL_SETS)
  deploy(w, ['daemon'], 'v1.4.2', {}, DAEMON_SETS)
  deploy(
    w,
    ['cron'],
    'v1.4.2',
    {
      spec: { jobTemplate: { spec: { template: running('x', 'v1.4.2').spec.template } } },
    },
    CRON_JOBS,
  )
  w.lead({ excludedNamespaces: new Set(['kube-system']) })
  w.scan(NEW)
  await w.pass(MINUTE)
  t.strictSame(w.moved(), ['set', 'daemon', 'cron'])
})

t.test(
  'a version moves when it has become old enough, by the policy or a guard rail',
  async (t) => {
    const young = policy({ kind: 'ClusterImagePolicy', name: 'guard', minimumAge: HOUR })
    for (const policies of [[trackAll({ minimumAge: HOUR })], [trackAll(), young]]) {
      const w = world(t, policies)
      deploy(w, NAMES)
      w.lead()
      w.scan(NEW, { young: 'v1.4.3' })
      await w.pass(HOUR - SECOND)
      t.strictSame(w.moved(), [])
      await w.pass(2 * MINUTE)
      t.strictSame(w.moved(), NAMES)
    }
  },
)

t.test(
  'a registry that fails moves nothing, and neither do a gone tag and a gone list',
  async (t) => {
    const w = world(t, [trackAll({ allowDowngrade: true })])
    deploy(w, NAMES)
    w.lead()
    w.scan(NEW, { failing: true })
    await w.pass(HOUR)
    w.scan(['v1.3.0'])
    await w.pass(HOUR)
    w.scan([])
    await w.pass(HOUR)
    t.strictSame(w.moved(), [])
    w.scan(NEW)
    await w.pass(MINUTE)
    t.strictSame(w.moved(), NAMES)
  },
)

t.test('a registry that fails in the middle of a wave delays the rest of it', async (t) => {
  const w = world(t, [paced({ maxPerMinute: 1 })])
  deploy(w, NAMES)
  w.lead()
  w.scan(NEW)
  await w.pass(90 * SECOND)
  w.scan(NEW, { failing: true })
  await w.pass(HOUR)
  t.strictSame(w.moved(), ['a'])
  w.scan(NEW)
  await w.pass(HOUR)
  t.strictSame(w.moved(), NAMES)
})

t.test(
  'a digest that the registry does not give at once is asked for after the next scan',
  async (t) => {
    const w = world(t)
    deploy(w, NAMES)
    w.lead()
    w.scan(NEW, { unanswered: 'v1.4.3' })
    await w.pass(HOUR)
    t.strictSame(w.moved(), [])
    w.scan(NEW)
    await w.pass(HOUR)
    t.strictSame(w.moved(), NAMES)
  },
)

t.test('fields that an earlier leader did not give back are given back', async (t) => {
  const w = world(t)
  const flux = { manager: 'flux', operation: 'Apply', fieldsV1: {} }
  const managedFields = [flux, { manager: 'tagwarden-promoter', operation: 'Update' }]
  deploy(w, ['a'], 'v1.4.2', { metadata: { managedFields } })
  w.lead()
  await w.pass(MINUTE)
  t.strictSame(w.cluster.all(DEPLOYMENTS)[0]?.metadata.managedFields, [flux])
  t.strictSame(w.moved(), [])
})

t.test('more workloads than one plan holds are moved in several', async (t) => {
  const w = world(t)
  const many = Array.from({ length: 1_100 }, (_, index) => `w${String(index).padStart(4, '0')}`)
  deploy(w, many)
  w.lead()
  w.scan(NEW)
  await w.pass(10 * MINUTE)
  t.equal(w.moved().length, 1_100)
  t.equal(new Set(w.moved()).size, 1_100)
})

t.test('a kind that may not be listed does not keep the others', async (t) => {
  const w = world(t)
  deploy(w, NAMES)
  w.cluster.refuse('list', STATEFUL_SETS, 'Forbidden')
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.strictSame(w.moved(), NAMES)
  t.ok(w.log.some((line) => /statefulsets are not promoted/.test(line)))
})

t.test('what the validating webhook would refuse is not written', async (t) => {
  const w = world(t, [
    trackAll(),
    refusingResults(policy({ kind: 'ClusterImagePolicy', name: 'guard' })),
  ])
  deploy(w, NAMES)
  w.lead()
  w.scan(NEW)
  await w.pass(MINUTE)
  t.strictSame(w.moved(), [])
  t.ok(w.told('Deployment').includes('a PromotionFailed'))
  t.match(w.events[0]?.message, /\[OutOfRange\]/)
})

t.test('the count of a policy goes on over a change of leaders', async (t) => {
  const w = world(t, [paced({ maxPerMinute: 1 })])
  storePolicy(w)
  deploy(w, NAMES)
  const stop = w.lead()
  w.scan(NEW)
  await w.pass(150 * SECOND)
  await stop()
  w.lead()
  await w.pass(HOUR)
  const [stored] = w.cluster.all(IMAGE_POLICIES) as unknown as { status: object }[]
  t.match(stored?.status, { lastPromotion: { tag: 'v1.4.3', count: 5 } })
  t.ok(NOW > 0)
})
