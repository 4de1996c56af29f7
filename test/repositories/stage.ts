import { setImmediate as turn } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Catalog, createCatalog } from '../../src/catalog/index.ts'
import { IMAGE_REPOSITORIES } from '../../src/cluster/index.ts'
import type { ImageRepositoryStatus, PolicySet } from '../../src/policies/types.ts'
import {
  type ImageRepository,
  type Repositories,
  type RepositorySecrets,
  startRepositories,
} from '../../src/repositories/index.ts'
import { createScanner, type Scanner } from '../../src/scanner/index.ts'
import { reviewOptions } from '../admission/reviews.ts'
import { createFakeCluster, type FakeCluster } from '../fakes/cluster.ts'
import { policy } from '../fakes/facts.ts'
import { digest, FakeClient, FakeTime, INTERVAL, WEB } from '../scanner/stage.ts'

export const OWN = 'tagwarden'

/** One process of several: its own facts and its own connections, the same cluster and registry. */
export interface Replica {
  readonly client: FakeClient
  readonly catalog: Catalog
  readonly scanner: Scanner
  readonly repositories: Repositories
  readonly log: string[]
  /** Makes it the leader; what is returned ends that. */
  lead(): () => Promise<void>
}

export interface World {
  readonly time: FakeTime
  readonly cluster: FakeCluster
  /** what the registry has */
  readonly images: Map<string, Map<string, string>>
  policies: PolicySet
  /** ids of Secrets that are not there */
  readonly missing: Set<string>
  /** who refers to which Secrets */
  readonly references: Map<string, string[]>
  /** as in the first moment */
  secretsAreUnknown: boolean
  knowSecrets(): void
  /** a Secret came or went */
  changeSecret(id: string, there: boolean): void
  start(options?: { catalog?: Catalog }): Replica
  /** lets some time pass for all */
  pass(ms: number): Promise<void>
  /** waits until something holds; time passes only if that is asked for */
  until(what: string, holds: () => unknown, step?: number): Promise<void>
  object(name?: string, namespace?: string): ImageRepository | undefined
  status(name?: string, namespace?: string): ImageRepositoryStatus
}

export function policySet(...policies: ReturnType<typeof policy>[]): PolicySet {
  return reviewOptions(policies).policies()
}

/** A cluster and a registry that has WEB with v1.2.3 and v1.4.2, in a time of their own. */
export function makeWorld(t: Test): World {
  const time = new FakeTime()
  const cluster = createFakeCluster({ namespace: OWN, clock: time.clock })
  const images = new Map([
    [
      WEB,
      new Map([
        ['v1.2.3', digest('1')],
        ['v1.4.2', digest('4')],
      ]),
    ],
  ])
  t.teardown(() => cluster.close())
  const listeners = new Set<(accessId: string | undefined) => void>()
  const secretsKnown = Promise.withResolvers<void>()
  const secrets: RepositorySecrets = {
    repositoryAccess(namespace, { secretRef }) {
      if (!secretRef) return { id: undefined, problem: undefined }
      const id = `${namespace}/${secretRef.name}`
      const problem = world.missing.has(id) ? `there is no Secret ${id}. Make it` : undefined
      return { id, problem }
    },
    isReady: () => !world.secretsAreUnknown,
    ready: () => secretsKnown.promise,
    refer: (owner, _, names) => void world.references.set(owner, [...names]),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const world: World = {
    time,
    cluster,
    images,
    policies: policySet(policy({ images: [WEB] })),
    missing: new Set(['shop/gone', `${OWN}/gone`]),
    references: new Map(),
    secretsAreUnknown: false,
    knowSecrets() {
      world.secretsAreUnknown = false
      secretsKnown.resolve()
    },
    changeSecret(id, there) {
      if (there) world.missing.delete(id)
      else world.missing.add(id)
      for (const listener of listeners) listener(id)
    },
    start({ catalog = createCatalog() } = {}) {
      const client = new FakeClient()
      for (const [name, tags] of images) client.repositories.set(name, tags)
      const log: string[] = []
      const note = (_: object, message: string) => void log.push(message)
      const scanner = createScanner({
        catalog,
        client,
        interval: INTERVAL,
        clock: time.clock,
        timer: time.timer,
        random: () => 0.5,
        access: (id) => (world.missing.has(id) ? undefined : { id, version: '1' }),
      })
      const repositories = startRepositories({
        cluster,
        catalog,
        scanner,
        namespace: OWN,
        policies: () => world.policies,
        secrets,
        interval: INTERVAL,
        log: { debug: () => {}, info: note, warn: note },
        clock: time.clock,
        timer: time.timer,
      })
      scanner.start()
      t.teardown(async () => {
        await repositories.close()
        await scanner.stop()
        await catalog.close()
      })
      return {
        client,
        catalog,
        scanner,
        repositories,
        log,
        lead() {
          const controller = new AbortController()
          const led = repositories.lead(controller.signal)
          return async () => {
            controller.abort()
            await led
          }
        },
      }
    },
    pass: (ms) => time.pass(ms),
    async until(what, holds, step = 0) {
      const end = performance.now() + 30_000
      while (!holds()) {
        if (performance.now() > end) throw new Error(`it never came to this: ${what}`)
        if (step > 0) await time.pass(step)
        await turn()
      }
    },
    object: (name = 'web', namespace = OWN) =>
      cluster
        .all<ImageRepository>(IMAGE_REPOSITORIES)
        .find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
    status(name, namespace) {
      return world.object(name, namespace)?.status ?? {}
    },
  }
  return world
}

/** An ImageRepository as the API server stores one that is written by hand. */
export function repository(
  spec: Partial<ImageRepository['spec']> = {},
  metadata: Partial<ImageRepository['metadata']> = {},
): ImageRepository {
  return {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImageRepository',
    metadata: { name: 'web', namespace: OWN, ...metadata },
    spec: { image: WEB, interval: '10m', ...spec },
  }
}

export function ready({ conditions = [] }: ImageRepositoryStatus): string {
  const condition = conditions.find(({ type }) => type === 'Ready')
  return condition ? `${condition.status} ${condition.reason}: ${condition.message}` : ''
}
