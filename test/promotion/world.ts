import { setImmediate } from 'node:timers/promises'
import type { Test } from 'tap'
import {
  type ClusterEvent,
  DEPLOYMENTS,
  IMAGE_POLICIES,
  type KubernetesObject,
  NAMESPACES,
  type ResourceName,
} from '../../src/cluster/index.ts'
import { parseReference } from '../../src/images/index.ts'
import type { CompiledPolicy, PolicySet } from '../../src/policies/types.ts'
import { type PromoterOptions, startPromoter } from '../../src/promotion/index.ts'
import { reviewOptions } from '../admission/reviews.ts'
import { createFakeCluster, type FakeCluster } from '../fakes/cluster.ts'
import { digest, type FakeTag, HOUR, NOW, policy, snapshot, source } from '../fakes/facts.ts'

export const WEB = 'ghcr.io/acme/web'
export const SECOND = 1_000

/** A clock that the test moves, and the timers that go by it. */
export interface FakeTime {
  readonly clock: () => number
  readonly timer: (run: () => void, ms: number) => () => void
  /** Lets so much time pass; whatever is due in it happens in order. */
  pass(ms: number): Promise<void>
}

export function fakeTime(start = NOW): FakeTime {
  let now = start
  const timers = new Set<{ at: number; run: () => void }>()
  return {
    clock: () => now,
    timer(run, ms) {
      const entry = { at: now + ms, run }
      timers.add(entry)
      return () => timers.delete(entry)
    },
    async pass(ms) {
      const end = now + ms
      for (;;) {
        await settled()
        const due = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (!due) break
        timers.delete(due)
        now = Math.max(now, due.at)
        due.run()
      }
      now = end
      await settled()
    },
  }
}

/** All that can happen without time passing has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await setImmediate()
}

export const resolved = (tag: string) => `${WEB}:${tag}@${digest(tag.at(-1) ?? '0')}`

/** A tag's digest is its last figure, many times. */
function tagsOf(tags: readonly string[]): Record<string, FakeTag> {
  return Object.fromEntries(
    tags.map((tag) => [tag, { digest: digest(tag.at(-1) ?? '0'), firstSeen: NOW - 48 * HOUR }]),
  )
}

/** A Deployment as it runs after `requested` was applied and became `tag`. */
export function running(name: string, tag: string, more: Record<string, unknown> = {}) {
  const image = resolved(tag)
  const record = {
    container: 'app',
    requested: `${WEB}:v1.3.0`,
    resolved: image,
    policy: 'ImagePolicy shop/web',
  }
  const { metadata = {}, spec = {}, status } = more as Record<string, Record<string, unknown>>
  const { annotations = {} } = metadata as { annotations?: Record<string, string> }
  return {
    metadata: {
      name,
      namespace: 'shop',
      ...metadata,
      annotations: {
        'tagwarden.io/images': JSON.stringify([record]),
        'fluxcd.io/build.number': '1',
        ...annotations,
      },
    },
    spec: { replicas: 1, template: { spec: { containers: [{ name: 'app', image }] } }, ...spec },
    status: status ?? available(1),
  }
}

export function available(generation: number) {
  return {
    observedGeneration: generation,
    ...{ replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1 },
  }
}

interface Scan {
  readonly name?: string
  readonly failing?: boolean
  /** a tag that is seen for the first time */
  readonly young?: string
  /** a tag whose digest is not known */
  readonly unanswered?: string
  /** digests that tags had before */
  readonly before?: Record<string, string[]>
}

export interface PromotionWorld extends FakeTime {
  readonly cluster: FakeCluster
  readonly events: ClusterEvent[]
  readonly log: string[]
  /** the registry has these tags now, and was read */
  scan(tags: readonly string[], more?: Scan): void
  /** these policies are in force now */
  setPolicies(policies: readonly CompiledPolicy[]): void
  /** Another leader begins; what it gives ends it, as by a lost lease. */
  lead(more?: Partial<PromoterOptions>): () => Promise<void>
  /** the controller has done its work for a Deployment, or for all */
  rollOut(name?: string): void
  /** tags of the images of the Deployments, by name */
  tags(): Record<string, string>
  /** names of the workloads whose image was written, in order */
  moved(): string[]
  /** reasons of events on a kind, each with the name */
  told(kind: string): string[]
}

export const trackAll = (more: Parameters<typeof policy>[0] = {}) =>
  policy({ action: 'Track', promote: 'Continuously', ...more })

export function world(t: Test, policies: readonly CompiledPolicy[] = [trackAll()]): PromotionWorld {
  const time = fakeTime()
  const cluster = createFakeCluster({ clock: time.clock })
  cluster.put(NAMESPACES, { metadata: { name: 'shop' } })
  const events: ClusterEvent[] = []
  const log: string[] = []
  const facts = source([snapshot(WEB, tagsOf(['v1.3.0', 'v1.4.1', 'v1.4.2']))])
  const scanListeners = new Set<(key: string) => void>()
  const policyListeners = new Set<() => void>()
  const stops: (() => Promise<void>)[] = []
  let set: PolicySet
  const use = (next: readonly CompiledPolicy[]) => {
    const covering = (name: string) => next.filter((each) => each.covers(name))
    set = {
      policies: next,
      revision: '1',
      match: ({ name }, { namespace }) =>
        covering(name).filter((each) => (each.namespace ?? namespace) === namespace),
      covering,
    } as Partial<PolicySet> as PolicySet
    const { exceptions } = reviewOptions([]).policies()
    set = { ...set, exceptions }
  }
  use(policies)
  t.teardown(async () => {
    for (const stop of stops) await stop()
  })
  const write = (level: string) => (_: object, message: string) =>
    void log.push(`${level} ${message}`)

  return {
    ...time,
    cluster,
    events,
    log,
    scan(tags, { name = WEB, failing = false, young, unanswered, before = {} } = {}) {
      const failure = failing
        ? { code: 'ERR_REGISTRY_UNREACHABLE' as const, message: 'no answer', at: time.clock() }
        : undefined
      const more = failure ? { failure } : {}
      const all = tagsOf(tags)
      const first = young === undefined ? undefined : all[young]
      if (first) first.firstSeen = time.clock()
      if (unanswered !== undefined) all[unanswered] = {}
      for (const [tag, digests] of Object.entries(before)) {
        Object.assign(all[tag] ?? {}, { before: digests })
      }
      facts.snapshots.set(name, snapshot(name, all, { scannedAt: time.clock(), ...more }))
      for (const listener of scanListeners) listener(name)
    },
    setPolicies(next) {
      use(next)
      for (const listener of policyListeners) listener()
    },
    lead(more = {}) {
      const review = {
        ...reviewOptions([], { source: facts, clock: time.clock }),
        policies: () => set,
      }
      const promoter = startPromoter({
        ...{ cluster, review },
        onPolicies: listenersOf(policyListeners),
        onScanned: listenersOf(scanListeners),
        snapshot: (key) => facts.snapshot(key),
        subjectOf: ({ kind, namespace, name }) => ({
          ...{ apiVersion: 'tagwarden.io/v1alpha1', kind, namespace, name, uid: 'policy-uid' },
        }),
        events: { record: (event) => void events.push(event), close: async () => {} },
        log: { debug: write('debug'), info: write('info'), warn: write('warn') },
        ...{ clock: time.clock, timer: time.timer, random: () => 0.5 },
        ...more,
      })
      const end = new AbortController()
      const leading = promoter.lead(end.signal)
      const stop = async () => {
        end.abort()
        let ended = false
        void leading.then(() => {
          ended = true
        })
        while (!ended) await time.pass(100)
      }
      stops.push(stop)
      return stop
    },
    rollOut(name) {
      for (const each of cluster.all(DEPLOYMENTS)) {
        if (name !== undefined && each.metadata.name !== name) continue
        cluster.put(DEPLOYMENTS, {
          ...each,
          status: available(each.metadata.generation ?? 1),
        } as never)
      }
    },
    tags: () =>
      Object.fromEntries(
        cluster
          .all<KubernetesObject & ReturnType<typeof running>>(DEPLOYMENTS)
          .map(({ metadata, spec }) => [metadata.name, parseReference(imageOf(spec)).tag ?? '']),
      ),
    moved: () =>
      cluster.calls
        .filter(({ verb, body }) => verb === 'patch' && JSON.stringify(body).includes('/image"'))
        .map(({ key }) => key.replace(/^shop\//, '')),
    told: (kind) =>
      events
        .filter(({ about }) => about.kind === kind)
        .map(({ about, reason }) => `${about.name} ${reason}`),
  }
}

function imageOf(spec: unknown): string {
  return (spec as { template: { spec: { containers: { image: string }[] } } }).template.spec
    .containers[0]?.image as string
}

function listenersOf<L>(listeners: Set<L>): (listener: L) => () => void {
  return (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
}

/** Makes such Deployments. */
export function deploy(
  { cluster }: PromotionWorld,
  names: readonly string[],
  tag = 'v1.4.2',
  more: Record<string, unknown> = {},
  resource: ResourceName = DEPLOYMENTS,
): void {
  for (const name of names) cluster.put(resource, running(name, tag, more) as never)
}

/** The policy as an object, whose status can be written. */
export function storePolicy({ cluster }: PromotionWorld): void {
  cluster.put(IMAGE_POLICIES, { metadata: { name: 'web', namespace: 'shop' }, spec: {} } as never)
}
