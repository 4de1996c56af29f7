import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createCatalog } from '../src/catalog/index.ts'
import { type Admin, openAdmin } from '../test/cluster/admin.ts'
import { requireAsset } from '../test/cluster/assets.ts'
import { type ControlPlane, startControlPlane } from '../test/cluster/control-plane.ts'
import type { Figure } from './admission.ts'

const BIN = join(import.meta.dirname, '../bin/tagwarden.js')
const USAGE = join(import.meta.dirname, 'usage.ts')
const DEPLOYMENTS = 10_000
const NAMESPACES = 20
const LANES = 16
const RUNS = 3
const POLICY = `apiVersion: tagwarden.io/v1alpha1
kind: ClusterImagePolicy
metadata: { name: web }
spec: { images: [ghcr.io/acme/web], order: { semver: { range: ">=1.2.3 <2.0.0" } }, action: Verify }
`

interface Run {
  /** s */
  readonly took: number
  /** MiB; 0 where it is not known */
  readonly memory: number
}

/** `tagwarden audit` of live Deployments, one in ten in violation, against `kubectl get`. */
export async function benchAudit(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-bench-'))
  const plane = await startControlPlane()
  try {
    await prepare(folder)
    await populate(plane)
    const { kubeconfig } = plane
    const get = ['get', 'deployments', '-A', '-o', 'json', `--kubeconfig=${kubeconfig}`]
    const audit = ['--import', USAGE, BIN, 'audit', '--offline', '--kubeconfig', kubeconfig]
    const kubectls: Run[] = []
    const audits: Run[] = []
    for (let run = 0; run < RUNS; run += 1) {
      kubectls.push(await measured(folder, requireAsset('kubectl'), get))
      audits.push(await measured(folder, process.execPath, [...audit, '--policies', 'policies']))
    }
    const least = (runs: readonly Run[], of: keyof Run) => Math.min(...runs.map((run) => run[of]))
    const [own, bare] = [least(audits, 'took'), least(kubectls, 'took')]
    return [
      { name: 'kubectl get of 10,000 Deployments', value: bare, unit: 's' },
      { name: 'audit of 10,000 live Deployments', value: own, unit: 's' },
      { name: 'of kubectl get', value: own / bare, unit: 'times', limit: 1.5 },
      { name: 'its memory', value: least(audits, 'memory'), unit: 'MiB', limit: 400 },
    ]
  } finally {
    await plane.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function prepare(folder: string): Promise<void> {
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'policies/web.yaml'), POLICY)
  writeFileSync(join(folder, 'tagwarden.yaml'), 'catalog: { path: ./catalog }\n')
  const catalog = createCatalog({ path: join(folder, 'catalog') })
  catalog.recordTags('ghcr.io/acme/web', ['v1.2.3', 'v1.4.2', 'v2.0.0', 'latest'], Date.now())
  await catalog.close()
}

async function populate(plane: ControlPlane): Promise<void> {
  const admin = openAdmin(plane.kubeconfig, LANES)
  try {
    for (let index = 0; index < NAMESPACES; index += 1) {
      const metadata = { name: `team-${index}` }
      await post(admin, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
    }
    let next = 0
    const lane = async () => {
      for (let index = next++; index < DEPLOYMENTS; index = next++) {
        const path = `/apis/apps/v1/namespaces/team-${index % NAMESPACES}/deployments`
        await post(admin, path, deployment(index))
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
  } finally {
    await admin.close()
  }
}

async function post(admin: Admin, path: string, body: object): Promise<void> {
  const { status, body: said } = await admin.call('POST', path, body)
  if (status !== 201) throw new Error(`${path}: ${status} ${said['message']}`)
}

/** A Deployment as teams write them. */
function deployment(index: number): object {
  const name = `web-${index}`
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'shop' }
  const resources = { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } }
  const httpGet = { path: '/healthz', port: 8080 }
  const image = `ghcr.io/acme/web:${index % 10 === 0 ? 'latest' : 'v1.4.2'}`
  const env = [{ name: 'LEVEL', value: 'info' }]
  const app = { name: 'app', image, resources, env, livenessProbe: { httpGet } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [app] } },
    },
  }
}

async function measured(cwd: string, program: string, args: readonly string[]): Promise<Run> {
  const started = performance.now()
  const env = { ...process.env, HOME: dirname(cwd) }
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr?.on('data', (part) => {
    said += part
  })
  const [code] = await once(child, 'close')
  const took = (performance.now() - started) / 1000
  if (code > 1) throw new Error(`${program} ${args.join(' ')}: ${code}: ${said}`)
  const usage = /^usage (.*)$/m.exec(said)?.[1]
  return { took, memory: usage === undefined ? 0 : JSON.parse(usage).memory }
}
