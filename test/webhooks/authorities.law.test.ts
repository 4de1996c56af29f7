import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { secretStore } from '../../src/certificates/cluster.ts'
import { type Certificates, openCertificates } from '../../src/certificates/index.ts'
import {
  MUTATING_WEBHOOK_CONFIGURATIONS as MUTATING,
  SECRETS,
  VALIDATING_WEBHOOK_CONFIGURATIONS as VALIDATING,
} from '../../src/cluster/index.ts'
import { watchConfigurations } from '../../src/webhooks/live_configurations.ts'
import type { WebhookConfiguration } from '../../src/webhooks/types.ts'
import { createUpkeep } from '../../src/webhooks/upkeep.ts'
import { createFakeCluster } from '../fakes/cluster.ts'
import { SECRET } from './replica.ts'
import { slowCluster } from './slow_cluster.ts'
import { installation } from './stage.ts'

const DAY = 86_400_000
/** Until a CA of ten years is near its end. */
const NEAR = 3_270 * DAY
const JUMPS = 22
const MOVES = 150
/** A message is at most this late: less than a CA stays published that nobody wants any more. */
const LATEST = 300_000

/** Numbers from 0 to `below`, the same for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const issuers = new Map<string, string | undefined>()

/** Fingerprint of the CA in a bundle (Base64 of PEM) that issued a certificate. */
function issuerOf(cert: string, bundle: string): string | undefined {
  const key = `${cert} ${bundle}`
  if (!issuers.has(key)) {
    const leaf = new X509Certificate(cert)
    const text = Buffer.from(bundle, 'base64').toString()
    const issuer = (text.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [])
      .map((each) => new X509Certificate(each))
      .find((ca) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey))
    issuers.set(key, issuer?.fingerprint256)
  }
  return issuers.get(key)
}

interface Replica {
  readonly slow: ReturnType<typeof slowCluster>
  certificates: Certificates | undefined
  /** whether it has been ready: then it is asked, also in the moment in which it is not any more */
  asked: boolean
  lead: () => Promise<unknown>
  busy: number
  stop(): void
}

/** Three replicas of which each may believe to lead, and messages that come late. */
function createWorld(seed: number) {
  const random = randomOf(seed)
  const cluster = createFakeCluster()
  let now = Date.now()
  let late = 0
  const clock = () => now
  const replicas: Replica[] = []
  const gone: Replica[] = []
  let broken: string | undefined
  const signed = new Set<string>()

  function start(): Replica {
    const slow = slowCluster(cluster)
    const ending = new AbortController()
    const replica: Replica = {
      slow,
      certificates: undefined,
      asked: false,
      lead: async () => {},
      busy: 1,
      stop: () => {
        ending.abort()
        void replica.certificates?.close()
        replica.certificates = undefined
      },
    }
    const store = secretStore({ cluster: slow.cluster, ...SECRET })
    const names = ['localhost']
    const opening = openCertificates({ store, names, clock, interval: 2 ** 30 })
    void opening
      .then((certificates) => {
        if (ending.signal.aborted) return certificates.close()
        const live = watchConfigurations(slow.cluster, 'tagwarden', ending.signal, () => {})
        const step = createUpkeep({
          cluster: slow.cluster,
          installation: installation(),
          live,
          policies: () => [],
          certificates,
          clock,
        })
        replica.certificates = certificates
        replica.lead = async () => (live.synced() ? step() : undefined)
        return undefined
      })
      .finally(() => {
        replica.busy -= 1
      })
    return replica
  }

  function run(replica: Replica, work: () => Promise<unknown>): void {
    replica.busy += 1
    void work()
      .catch(() => {})
      .finally(() => {
        replica.busy -= 1
      })
  }

  /** The law: what a ready replica serves is trusted by every webhook that there is. */
  function check(what: string): void {
    const bundles = [MUTATING, VALIDATING].flatMap((resource) =>
      cluster
        .all<WebhookConfiguration>(resource)
        .flatMap(({ webhooks = [] }) => webhooks.map((each) => each.clientConfig.caBundle ?? '')),
    )
    for (const [index, replica] of replicas.entries()) {
      const { certificates } = replica
      if (!certificates) continue
      replica.asked ||= certificates.trusted()
      if (!replica.asked) continue
      const { cert, valid } = certificates.current()
      if (!valid(now)) continue
      for (const bundle of new Set(bundles)) {
        const issuer = issuerOf(cert, bundle)
        if (issuer) signed.add(issuer)
        else broken ??= `seed ${seed}, after "${what}": replica ${index} serves what is not trusted`
      }
    }
  }

  async function breathe(): Promise<void> {
    for (let round = 0; round < 4; round += 1) await new Promise((done) => setImmediate(done))
  }

  const all = () => [...replicas, ...gone]
  const waiting = () =>
    all().flatMap(({ slow }) => [
      ...(slow.notices.length > 0 ? [slow.notices] : []),
      ...slow.calls.map((_, index) => ({ calls: slow.calls, index })),
    ])

  /** Lets one message arrive, if there is any. */
  async function deliver(): Promise<boolean> {
    const choices = waiting()
    const chosen = choices[random(choices.length)]
    if (!chosen) return false
    const [message] = Array.isArray(chosen)
      ? chosen.splice(0, 1)
      : chosen.calls.splice(chosen.index, 1)
    message?.go()
    await breathe()
    check(message?.what ?? '')
    return true
  }

  async function quiet(): Promise<void> {
    while ((await deliver()) || all().some(({ busy }) => busy > 0)) {
      await new Promise((done) => setTimeout(done, 1))
    }
    late = 0
  }

  function restart(replica: Replica): Replica {
    replica.stop()
    gone.push(replica)
    const next = start()
    replicas[replicas.indexOf(replica)] = next
    return next
  }

  /** The Secret is lost, and the first to notice knows nothing of what was in it. */
  async function startAfresh(replica: Replica): Promise<void> {
    cluster.drop(SECRETS, SECRET)
    const next = restart(replica)
    while (next.busy > 0) {
      next.slow.calls.shift()?.go()
      await new Promise((done) => setTimeout(done, 1))
    }
  }

  /** Whoever makes it anew can't be told by a version that he is late: nobody is. */
  async function loseConfiguration(): Promise<void> {
    await quiet()
    cluster.drop(random(2) === 0 ? MUTATING : VALIDATING, { name: 'tagwarden' })
  }

  async function move(): Promise<void> {
    const replica = replicas[random(replicas.length)] as Replica
    const dice = random(1000)
    if (dice < 500) await deliver()
    else if (dice < 600) run(replica, async () => replica.certificates?.refresh())
    else if (dice < 820) run(replica, () => replica.lead())
    else if (dice < 950 && late < LATEST) {
      const step = random(8_000)
      now += step
      late += step
    } else if (dice < 965) restart(replica)
    else if (dice < 975) cluster.drop(SECRETS, SECRET)
    else if (dice < 980) await loseConfiguration()
    else if (dice < 983) await startAfresh(replica)
    await breathe()
    check('a move')
  }

  /** As all timers would, sooner or later: every replica looks, and one leads. */
  async function settle(): Promise<void> {
    for (let round = 0; round < 4; round += 1) {
      for (const each of replicas) run(each, async () => each.certificates?.refresh())
      await quiet()
      const leader = replicas[random(replicas.length)] as Replica
      run(leader, () => leader.lead())
      await quiet()
      now += 6_000
    }
  }

  return {
    cluster,
    signed,
    broken: () => broken,
    begin: async () => {
      for (let count = 0; count < 3; count += 1) replicas.push(start())
      await settle()
      now += NEAR
      await settle()
    },
    jump: async () => {
      for (let count = 0; count < MOVES; count += 1) await move()
      await quiet()
      await settle()
      now += DAY + random(28 * DAY)
    },
    ready: () => replicas.every(({ certificates }) => certificates?.trusted()),
    valid: () => replicas.every(({ certificates }) => certificates?.current().valid(now)),
    same: () => new Set(replicas.map(({ certificates }) => certificates?.current().cert)).size,
    settle,
    end: () => {
      for (const each of all()) each.stop()
    },
  }
}

t.test(
  'whatever is late, lost or restarted: what a replica serves is trusted by every webhook',
  { timeout: 600_000 },
  async (t) => {
    const seeds = process.env['LAW_SEEDS']?.split(',').map(Number) ?? [1, 13]
    for (const seed of seeds) {
      const world = createWorld(seed)
      await world.begin()
      for (let count = 0; count < JUMPS && world.broken() === undefined; count += 1) {
        await world.jump()
      }
      await world.settle()
      t.equal(world.broken(), undefined)
      t.ok(world.ready(), 'all replicas are ready in the end')
      t.ok(world.valid(), 'what they serve is valid')
      t.equal(world.same(), 1, 'they serve the same')
      t.ok(world.signed.size >= 2, `${world.signed.size} CAs have signed`)
      world.end()
    }
  },
)
