import { setTimeout as delay } from 'node:timers/promises'
import { IMAGE_POLICIES, NAMESPACES } from '../src/cluster/index.ts'
import { parseReference } from '../src/images/index.ts'
import { openPolicyCluster } from '../src/sources/cluster.ts'
import { createFakeCluster } from '../test/fakes/cluster.ts'
import type { Figure } from './selection.ts'

const POLICIES = 10_000
const NAMESPACE_COUNT = 500
const CHANGES = 20

/** Believable policies: a fifth of the rules are unlike all others, a tenth are patterns. */
function policy(index: number, range = `>=1.${index % 5 === 0 ? index : index % 40}.0`) {
  const name = `app-${index}`
  return {
    metadata: { name, namespace: `team-${index % NAMESPACE_COUNT}` },
    spec: {
      images: [index % 10 === 0 ? `ghcr.io/team-${index}/*` : `ghcr.io/acme/${name}`],
      exclude: [],
      tags: { pattern: '^v(?P<version>[0-9.]+)$', extract: '$version', allow: [], ignore: [] },
      order: { semver: { range } },
    },
  }
}

function memory(): number {
  for (let run = 0; run < 3; run += 1) (globalThis as { gc?: () => void }).gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}

function cpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/**
 * Measures what policies that live in the cluster cost: memory of 10,000, CPU time of one change
 * among them, and the time until it is in force.
 */
export async function benchClusterPolicies(): Promise<Figure[]> {
  await exposeCollector()
  // what follows a cluster keeps no process alive
  const alive = setInterval(() => {}, 1_000)
  const cluster = createFakeCluster()
  for (let index = 0; index < NAMESPACE_COUNT; index += 1) {
    cluster.put(NAMESPACES, { metadata: { name: `team-${index}` } })
  }
  for (let index = 0; index < POLICIES; index += 1) cluster.put(IMAGE_POLICIES, policy(index))
  const before = memory()
  const start = cpu()
  let inForce = () => {}
  const source = await openPolicyCluster({ cluster, onChange: () => inForce() })
  await source.synced
  const first = cpu() - start
  if (source.current().policies.length !== POLICIES) throw new Error('some are missing')
  // what the fake's watch remembers is a real one's too
  const used = memory() - before

  const costs: number[] = []
  const waits: number[] = []
  for (let change = 0; change < CHANGES; change += 1) {
    const { promise, resolve } = Promise.withResolvers<void>()
    inForce = resolve
    const begin = cpu()
    const at = performance.now()
    cluster.put(IMAGE_POLICIES, policy(7, `>=2.${change}.0`))
    await promise
    waits.push(performance.now() - at)
    costs.push(cpu() - begin)
  }
  const workload = {
    namespace: 'team-7',
    groupKind: { group: 'apps', kind: 'Deployment' },
    name: 'app-7',
    owners: [],
    labels: {},
    namespaceLabels: {},
  }
  const [found] = source.current().match(parseReference('ghcr.io/acme/app-7'), workload, 'app')
  if (found?.selector.description !== `semver >=2.${CHANGES - 1}.0`) throw new Error('not in force')
  await delay(100)
  const idle = cpu()
  await delay(2_000)
  const idleCost = cpu() - idle
  await source.close()
  await cluster.close()
  clearInterval(alive)
  return [
    { name: '10,000 policies of a cluster, memory', value: used, unit: 'MiB', limit: 150 },
    {
      name: '10,000 policies of a cluster, read at start',
      value: first,
      unit: 'ms CPU',
      limit: 10_000,
    },
    { name: 'one of them changed, median', value: median(costs), unit: 'ms CPU', limit: 200 },
    {
      name: 'one of them changed, in force after',
      value: Math.max(...waits),
      unit: 'ms',
      limit: 1_000,
    },
    { name: 'nothing changes for two seconds', value: idleCost, unit: 'ms CPU', limit: 40 },
  ]
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

async function exposeCollector(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  ;(globalThis as { gc?: unknown }).gc = runInNewContext('gc')
}
