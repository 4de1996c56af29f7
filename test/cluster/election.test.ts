import t from 'tap'
import {
  type Cluster,
  type Election,
  electLeader,
  type KubernetesObject,
  LEASES,
} from '../../src/cluster/index.ts'
import { createFakeCluster, type FakeCluster } from '../fakes/cluster.ts'
import { FakeClock } from './fake_clock.ts'

interface Lease extends KubernetesObject {
  spec?: {
    holderIdentity?: string
    leaseDurationSeconds?: number
    leaseTransitions?: number
    acquireTime?: string
    renewTime?: string
  }
}
const KEY = { namespace: 'tagwarden', name: 'tagwarden' }
const DURATION = 15_000
const OWNER = {
  ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
  ...{ name: 'tagwarden', uid: 'abc' },
}
/** Who waits looks at the lease every 4 s at most. */
const LONGEST_PAUSE = 4_000
/** More than anyone needs to see the last renewal, and after a lease's time that it has ended. */
const TAKEOVER = LONGEST_PAUSE + DURATION + LONGEST_PAUSE + 1_000

/** One who stands for election, and the times at which it led. */
function stand(cluster: Cluster, clock: FakeClock, identity: string, work?: () => Promise<void>) {
  const terms: { from: number; to: number | undefined }[] = []
  const election = electLeader(cluster, {
    ...KEY,
    identity,
    leaseDuration: DURATION,
    clock,
    onLeading: async (signal) => {
      const term = { from: clock.elapsed(), to: undefined as number | undefined }
      terms.push(term)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      term.to = clock.elapsed()
      await work?.()
    },
  })
  return { election, terms }
}

const leaseOf = (cluster: FakeCluster) => cluster.all<Lease>(LEASES)[0]

/** The same cluster through a wire that can be cut. */
function wire(cluster: FakeCluster) {
  const state = { cut: false, hanging: false }
  const through = (work: () => unknown) => {
    if (state.hanging) return new Promise(() => {})
    return state.cut ? Promise.reject(new Error('the wire is cut')) : work()
  }
  const wired = new Proxy(cluster, {
    get: (target, name) => {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => through(() => value.apply(target, given))
    },
  })
  return { cluster: wired as Cluster, state }
}

t.test(
  'the first one leads, the second waits, and takes over when the lease is given back',
  async (t) => {
    const cluster = createFakeCluster()
    const clock = new FakeClock()
    const a = stand(cluster, clock, 'a')
    await clock.pass(0)
    const b = stand(cluster, clock, 'b')
    await clock.pass(60_000)
    t.equal(a.election.leading(), true)
    t.equal(b.election.leading(), false)
    t.equal(b.election.leader(), 'a')
    t.match(leaseOf(cluster)?.spec, {
      holderIdentity: /^a_[0-9a-f]{8}$/,
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: '2026-11-24T12:00:00.000000Z',
    })
    await a.election.release()
    t.equal(a.election.leading(), false)
    t.equal(leaseOf(cluster)?.spec?.holderIdentity, undefined)
    await clock.pass(5_000)
    t.equal(b.election.leading(), true)
    t.equal(b.election.leader(), 'b')
    t.equal(leaseOf(cluster)?.spec?.leaseTransitions, 1)
    t.equal(a.election.leader(), undefined, 'who has left does not look any more')
    await b.election.release()
  },
)

t.test('who is cut off stops before another one can begin', async (t) => {
  const cluster = createFakeCluster()
  const clock = new FakeClock()
  for (const fault of ['cut', 'hanging'] as const) {
    const line = wire(cluster)
    const a = stand(line.cluster, clock, 'a')
    await clock.pass(TAKEOVER)
    const b = stand(cluster, clock, 'b')
    await clock.pass(20_000)
    t.equal(a.election.leading(), true)
    line.state[fault] = true
    await clock.pass(TAKEOVER)
    t.equal(b.election.leading(), true)
    const [{ to: stopped = 0 } = {}] = a.terms
    const [{ from: began = 0 } = {}] = b.terms
    t.ok(began - stopped >= 3_000, `${began - stopped} ms between them`)
    line.state[fault] = false
    void a.election.release()
    await b.election.release()
    await clock.pass(0)
  }
})

t.test('an API server that is away for a moment ends no term, a long outage ends it', async (t) => {
  const cluster = createFakeCluster()
  const clock = new FakeClock()
  const a = stand(cluster, clock, 'a')
  await clock.pass(20_000)
  cluster.available = false
  await clock.pass(6_000)
  cluster.available = true
  await clock.pass(20_000)
  t.strictSame(a.terms, [{ from: 0, to: undefined }])
  cluster.available = false
  await clock.pass(12_000)
  t.equal(a.election.leading(), false)
  t.equal(a.terms[0]?.to !== undefined, true)
  cluster.available = true
  await clock.pass(20_000)
  t.equal(a.election.leading(), true)
  t.equal(a.terms.length, 2)
  await a.election.release()
})

t.test('clocks that jump move no lease', async (t) => {
  const cluster = createFakeCluster()
  const [clock, other] = [new FakeClock(), new FakeClock()]
  other.jump(86_400_000)
  const a = stand(cluster, clock, 'a')
  await clock.pass(0)
  const b = stand(cluster, other, 'b')
  const pass = async (ms: number) => {
    for (let done = 0; done < ms; done += 500) {
      await clock.pass(500)
      await other.pass(500)
    }
  }
  await pass(20_000)
  t.equal(b.election.leading(), false, 'a day ahead, and yet the lease counts')
  other.jump(-7 * 86_400_000)
  await pass(20_000)
  other.jump(30 * 86_400_000)
  await pass(20_000)
  t.equal(b.election.leading(), false)
  clock.jump(-3_600_000)
  await pass(20_000)
  t.strictSame(a.terms, [{ from: 0, to: undefined }])

  // Forward it looks as if the machine had slept: then another one may lead by now.
  clock.jump(3_600_000)
  t.equal(a.election.leading(), false)
  await pass(20_000)
  t.equal(a.election.leading(), true)
  t.equal(b.terms.length, 0)
  await Promise.all([a.election.release(), b.election.release()])
})

t.test('the Lease goes with the installation, as long as that is known', async (t) => {
  for (const owner of [OWNER, undefined]) {
    const cluster = createFakeCluster()
    const clock = new FakeClock()
    const election = electLeader(cluster, {
      ...{ ...KEY, identity: 'a', leaseDuration: DURATION, clock },
      onLeading: () => {},
      owner: async () => owner,
    })
    await clock.pass(5_000)
    t.equal(election.leading(), true)
    t.strictSame(leaseOf(cluster)?.metadata.ownerReferences, owner && [owner])
    await election.release()
  }
})

t.test('a lease that somebody else takes or deletes', async (t) => {
  const cluster = createFakeCluster()
  const clock = new FakeClock()
  const a = stand(cluster, clock, 'a')
  await clock.pass(0)
  cluster.drop(LEASES, KEY)
  await clock.pass(5_000)
  t.strictSame(a.terms, [{ from: 0, to: undefined }], 'it is made again')
  const lease = leaseOf(cluster) as Lease
  cluster.put(LEASES, { ...lease, spec: { ...lease.spec, holderIdentity: 'root' } })
  await clock.pass(5_000)
  t.equal(a.election.leading(), false)
  t.equal(a.election.leader(), 'root')
  await clock.pass(TAKEOVER)
  t.equal(a.election.leading(), true, 'it was not renewed')
  t.equal(leaseOf(cluster)?.spec?.leaseTransitions, 1)
  await a.election.release()
})

t.test('without the right to the lease nobody leads, and it is said once', async (t) => {
  const cluster = createFakeCluster()
  const clock = new FakeClock()
  const allow = cluster.refuse('get', LEASES, 'Forbidden')
  const warnings: string[] = []
  const ignore = () => {}
  const election = electLeader(cluster, {
    ...KEY,
    identity: 'a',
    leaseDuration: DURATION,
    clock,
    onLeading: ignore,
    log: { debug: ignore, info: ignore, error: ignore, warn: (_, text) => warnings.push(text) },
  })
  await clock.pass(60_000)
  t.equal(election.leading(), false)
  t.equal(warnings.length, 1)
  allow()
  await clock.pass(10_000)
  t.equal(election.leading(), true)
  await election.release()
  t.throws(() =>
    electLeader(cluster, { ...KEY, identity: 'a', leaseDuration: 10, onLeading: ignore }),
  )
})

t.test('a term does not begin while the work of the last one goes on', async (t) => {
  const cluster = createFakeCluster()
  const clock = new FakeClock()
  const ended = Promise.withResolvers<void>()
  const a = stand(cluster, clock, 'a', () => ended.promise)
  await clock.pass(0)
  cluster.available = false
  await clock.pass(20_000)
  cluster.available = true
  await clock.pass(60_000)
  t.equal(a.terms.length, 1)
  t.equal(a.election.leading(), false)
  ended.resolve()
  await clock.pass(30_000)
  t.equal(a.terms.length, 2)
  await a.election.release()
})

t.test('a lease is not given back while the work goes on', async (t) => {
  const cluster = createFakeCluster()
  const clock = new FakeClock()
  const a = stand(cluster, clock, 'a', () => new Promise(() => {}))
  await clock.pass(0)
  let released = false
  void a.election.release().then(() => {
    released = true
  })
  await clock.pass(10_000)
  t.equal(released, false)
  t.match(leaseOf(cluster)?.spec?.holderIdentity, /^a_/)
  await clock.pass(6_000)
  t.equal(released, true)
  t.match(leaseOf(cluster)?.spec?.holderIdentity, /^a_/, 'it ends by itself')
})

t.test('of many, with faults of every kind, never do two lead at once', async (t) => {
  const cluster = createFakeCluster()
  const clock = new FakeClock()
  const lines = Array.from({ length: 4 }, () => wire(cluster))
  const all: { election: Election; terms: { from: number; to: number | undefined }[] }[] = []
  for (const [index, line] of lines.entries()) all.push(stand(line.cluster, clock, `e${index}`))
  let seed = 42
  const random = () => {
    seed = (seed * 16807) % 2147483647
    return seed / 2147483647
  }
  for (let step = 0; step < 400; step += 1) {
    const { state } = lines[Math.floor(random() * lines.length)]!
    state.cut = random() < 0.4
    const leaders = all.filter(({ election }) => election.leading())
    if (leaders.length > 1) t.fail('two lead')
    await clock.pass(random() * 6_000)
  }
  for (const { state } of lines) state.cut = false
  const terms = all.flatMap((each) => each.terms).sort((a, b) => a.from - b.from)
  t.ok(terms.length > 10, `${terms.length} terms`)
  for (const [index, { from }] of terms.entries()) {
    const before = terms[index - 1]
    if (before) t.ok(before.to !== undefined && before.to <= from, 'one after the other')
  }
  await Promise.all(all.map(({ election }) => election.release()))
})
