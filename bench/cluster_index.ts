import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createCatalog } from '../src/catalog/index.ts'
import type { Cluster, KubernetesObject, WatchHandlers } from '../src/cluster/index.ts'
import { compilePolicies, parsePolicies } from '../src/policies/index.ts'
import { type ImageRepository, startRepositories } from '../src/repositories/index.ts'
import { createScanner } from '../src/scanner/index.ts'
import type { Figure } from './admission.ts'
import { believableTags } from './selection.ts'

const REPOSITORIES = 5_000
const TAGS = 200
const MANIFESTS = 6
const PAGE = 500
const INTERVAL = 600_000
const MIB = 1024 * 1024

/** Measures what it costs a replica to know 5,000 repositories of 200 tags that the leader read. */
export async function benchClusterIndex(): Promise<Figure[]> {
  const objects = await publishedObjects()
  const bytes = objects.reduce((sum, text) => sum + text.length, 0)
  const catalog = createCatalog()
  const scanner = createScanner({ catalog, client: NO_REGISTRY, interval: INTERVAL })
  const { set } = compilePolicies(parsePolicies(POLICY, 'bench.yaml').resources)
  const cluster = listingCluster()
  const before = heap()
  const start = process.cpuUsage()
  const repositories = startRepositories({
    cluster,
    catalog,
    scanner,
    namespace: 'tagwarden',
    policies: () => set,
    secrets: {
      repositoryAccess: () => ({ id: undefined, problem: undefined }),
      isReady: () => true,
      ready: async () => {},
      refer: () => {},
      onChange: () => () => {},
    },
    interval: INTERVAL,
    log: { debug: () => {}, info: () => {}, warn: (_, message) => console.error(message) },
  })
  scanner.start()
  const longest = await watchDelay(async () => {
    await cluster.tell(objects)
    await repositories.synced
  })
  const spent = process.cpuUsage(start)
  const took = (spent.user + spent.system) / 1000
  if (catalog.keys().length !== REPOSITORIES) throw new Error('not all were adopted')
  const again = await cpu(() => cluster.tell(objects))
  objects.length = 0
  const held = (heap() - before) / MIB + bytes / MIB
  const idle = await cpu(() => sleep(3_000))
  const used = await cpu(async () => {
    for (let round = 0; round < 200; round += 1) {
      for (let n = 0; n < REPOSITORIES; n += 1) repositories.used(nameOf(n), undefined)
    }
  })
  await repositories.close()
  await scanner.stop()
  const what = `${REPOSITORIES} repositories of ${TAGS} tags`
  return [
    { name: `${what}: all adopted after a start`, value: took, unit: 'ms CPU', limit: 6_000 },
    { name: `${what}: longest wait of a review meanwhile`, value: longest, unit: 'ms' },
    { name: `${what}: memory of a replica`, value: held, unit: 'MiB', limit: 150 },
    { name: `${what}: told of again as they were`, value: again, unit: 'ms CPU', limit: 3_000 },
    { name: `${what}: 3 s without work`, value: idle, unit: 'ms CPU', limit: 30 },
    { name: 'noting that a review used a repository', value: used, unit: 'ns', limit: 1_000 },
  ]
}

const POLICY = `apiVersion: tagwarden.io/v1alpha1
kind: ClusterImagePolicy
metadata: { name: all }
spec: { images: ["registry.test/**"], order: { semver: { range: "*" } } }
`

const NO_REGISTRY = {
  listTags: () => Promise.reject(new Error('a follower asks no registry')),
  resolve: () => Promise.reject(new Error('a follower asks no registry')),
  close: async () => {},
}

/** The repository of the n-th object. */
export function nameOf(n: number): string {
  return `registry.test/team-${n % 50}/service-${n}`
}

/** The objects as the leader wrote them, as JSON. */
export async function publishedObjects(): Promise<string[]> {
  const catalog = createCatalog()
  const all = believableTags(20_000)
  const texts: string[] = []
  const at = Date.now() - 60_000
  for (let n = 0; n < REPOSITORIES; n += 1) {
    const name = nameOf(n)
    const from = (n * 37) % (all.length - TAGS)
    const tags = all.slice(from, from + TAGS)
    catalog.recordTags(name, tags, at)
    for (const [index, tag] of tags.slice(0, MANIFESTS).entries()) {
      const digest = `sha256:${(n * MANIFESTS + index).toString(16).padStart(64, '7')}`
      catalog.recordManifest(name, tag, { digest, mediaType: 'm', platforms: ['linux/amd64'] }, at)
    }
    const packed = await catalog.pack(name)
    texts.push(JSON.stringify(objectOf(n, tags, packed ?? Buffer.alloc(0))))
  }
  return texts
}

function objectOf(n: number, tags: readonly string[], packed: Buffer): ImageRepository {
  const time = '2026-11-24T12:00:00Z'
  return {
    metadata: {
      name: `service-${n}`,
      namespace: 'tagwarden',
      uid: `${n}`.padStart(36, '0'),
      resourceVersion: `${n}`,
      generation: 1,
      creationTimestamp: time,
      labels: { 'tagwarden.io/managed': 'true' },
    },
    spec: { image: nameOf(n), interval: '10m' },
    status: {
      observedGeneration: 1,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Succeeded',
          message: `${TAGS} tags, read every 10m`,
          lastTransitionTime: time,
          observedGeneration: 1,
        },
      ],
      lastScanTime: time,
      lastUsedTime: time,
      tagCount: TAGS,
      revision: `${n}`.padStart(16, '0'),
      latestTags: tags.slice(-10),
      selections: [
        {
          policy: 'ClusterImagePolicy all',
          tag: tags[0] ?? '',
          digest: `sha256:${'a'.repeat(64)}`,
        },
      ],
      index: packed.toString('base64'),
      indexBytes: packed.length,
    },
  }
}

/** A cluster that tells of objects page by page, as a list does, and knows nothing else. */
function listingCluster(): Cluster & { tell(objects: readonly string[]): Promise<void> } {
  const synced = Promise.withResolvers<void>()
  let handlers: WatchHandlers<KubernetesObject> | undefined
  const refuse = () => Promise.reject(new Error('a follower writes nothing'))
  return {
    server: '',
    namespace: 'tagwarden',
    get: refuse,
    pages: () => {
      throw new Error('it is watched')
    },
    count: refuse,
    create: refuse,
    replace: refuse,
    patch: refuse,
    remove: refuse,
    watch(_resource, _options, given) {
      handlers = given as WatchHandlers<KubernetesObject>
      return { synced: synced.promise, isSynced: () => true, close: async () => {} }
    },
    serves: async () => true,
    find: async () => undefined,
    whenServed: () => () => {},
    close: async () => {},
    async tell(objects) {
      for (let at = 0; at < objects.length; at += PAGE) {
        for (const text of objects.slice(at, at + PAGE)) handlers?.upsert(JSON.parse(text))
        await sleep(1)
      }
      synced.resolve()
    },
  }
}

/** The longest time, in ms, for which the event loop was not free. */
async function watchDelay(work: () => Promise<void>): Promise<number> {
  let last = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  await work()
  clearInterval(timer)
  return longest
}

async function cpu(work: () => Promise<void>): Promise<number> {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

function heap(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
