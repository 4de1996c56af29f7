import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AuditEntry } from '../test/cluster/audit_log.ts'
import { type Installation, NAME, NAMESPACE } from '../test/e2e/installation.ts'
import type { Figure } from './admission.ts'
import { measureChanges } from './cluster_change.ts'
import { populate } from './cluster_objects.ts'
import { NODE_OPTIONS, startClusterSite } from './cluster_site.ts'
import { mountServiceAccount, podEnvironment } from './pod.ts'
import { cpuOf, memoryOf, peakOf } from './processes.ts'

const POLICIES = Number(process.env['BENCH_POLICIES'] ?? 10_000)
const REPOSITORIES = Number(process.env['BENCH_REPOSITORIES'] ?? 5_000)
const REPLICAS = 3
const SETTLED = 20_000
const SETTLES_WITHIN = 25 * 60_000

/** Only what the replicas ask, each once, when it has been answered. */
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - { level: Metadata, users: ["system:serviceaccount:${NAMESPACE}:${NAME}"] }
  - { level: None }
`

/**
 * Measures three replicas with many policies and repositories: how long each takes to be ready, what
 * they need when the leader has written all that it has to say, and what they ask the API server.
 */
export async function benchClusterScale(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-bench-'))
  const file = join(folder, 'audit.log')
  writeFileSync(join(folder, 'audit.yaml'), AUDIT_POLICY)
  writeFileSync(file, '')
  const flags = [
    `--audit-policy-file=${join(folder, 'audit.yaml')}`,
    `--audit-log-path=${file}`,
    '--audit-log-maxsize=2000',
  ]
  const site = await startClusterSite(0, podEnvironment(folder, NODE_OPTIONS), { flags })
  try {
    await mountServiceAccount(site.world, folder)
    await populate(site.world, { policies: POLICIES, repositories: REPOSITORIES })
    return await measure(site.world, readerOf(file))
  } finally {
    await site.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(world: Installation, asked: () => AuditEntry[]): Promise<Figure[]> {
  const what = `${POLICIES} policies, ${REPOSITORIES} repositories`
  const ready: number[] = []
  for (let index = 1; index <= REPLICAS; index += 1) {
    const at = performance.now()
    await world.start(`replica-${index}`)
    ready.push(performance.now() - at)
  }
  const at = performance.now()
  await settle(world, asked)
  const settled = (performance.now() - at - SETTLED) / 1_000
  world.balancer.stopAsking()
  const pids = world.replicas.map(({ child }) => child.pid as number)
  await delay(5_000)
  const afterWriting = Math.max(...pids.map(memoryOf))
  asked()
  const before = pids.map(cpuOf)
  await delay(30_000)
  const cpu = pids.map((pid, index) => cpuOf(pid) - (before[index] ?? 0))
  await delay(30_000)
  const counts = countsOf(asked())
  const memory = pids.map(memoryOf)
  const changes = await measureChanges(world, `${what}: one more is changed`)
  return [
    { name: `${what}: a replica is ready, slowest of 3`, value: Math.max(...ready), unit: 'ms' },
    { name: `${what}: the leader has written everything after`, value: settled, unit: 's' },
    {
      name: `${what}: memory of the leader when it has just written`,
      value: afterWriting,
      unit: 'MiB',
    },
    {
      name: `${what}: memory of the largest replica after 60 s`,
      value: Math.max(...memory),
      unit: 'MiB',
      limit: 400,
    },
    {
      name: `${what}: memory of the smallest replica`,
      value: Math.min(...memory),
      unit: 'MiB',
    },
    {
      name: `${what}: the most that a replica ever had`,
      value: Math.max(...pids.map(peakOf)),
      unit: 'MiB',
    },
    {
      name: `${what}: 30 s without work, busiest replica`,
      value: Math.max(...cpu),
      unit: 'ms CPU',
      limit: 300,
    },
    { name: '60 s without work: requests for the Lease', value: counts.lease, unit: '' },
    { name: '60 s without work: requests of the probe', value: counts.probe, unit: '' },
    { name: '60 s without work: watches begun anew', value: counts.watch, unit: '' },
    { name: '60 s without work: other requests', value: counts.other, unit: '', limit: 0 },
    ...changes,
  ]
}

/** Resolves when the replicas have had nothing to write for a while. */
async function settle({ admin }: Installation, asked: () => AuditEntry[]): Promise<void> {
  const end = performance.now() + SETTLES_WITHIN
  for (let quiet = 0; quiet < SETTLED; ) {
    if (performance.now() > end) throw new Error('the leader still writes')
    const { status } = await admin.call('GET', '/readyz')
    if (status !== 200) throw new Error(`the API server is not well: ${status}`)
    await delay(1_000)
    quiet = countsOf(asked()).other === 0 ? quiet + 1_000 : 0
  }
}

type Kind = 'lease' | 'probe' | 'watch' | 'other'

function countsOf(entries: readonly AuditEntry[]): Record<Kind, number> {
  const counts = { lease: 0, probe: 0, watch: 0, other: 0 }
  for (const entry of entries) counts[kindOf(entry)] += 1
  return counts
}

function kindOf({ verb, objectRef }: AuditEntry): Kind {
  if (verb === 'watch') return 'watch'
  if (objectRef?.resource !== 'leases') return 'other'
  return objectRef.name === NAME ? 'lease' : 'probe'
}

/** Gives the entries that are new since the last call. */
function readerOf(file: string): () => AuditEntry[] {
  let read = 0
  return () => {
    const text = readFileSync(file).subarray(read)
    const whole = text.subarray(0, text.lastIndexOf(0x0a) + 1)
    read += whole.length
    return whole
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditEntry)
  }
}
