import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCatalog } from '../src/catalog/index.ts'
import type { Figure } from './admission.ts'

const ROOT = join(import.meta.dirname, '..')
const USAGE = join(import.meta.dirname, 'usage.ts')
const RUNS = 3
const POLICY = `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: web, namespace: shop }
spec: { images: [ghcr.io/acme/web], order: { semver: { range: ">=1.2.3 <2.0.0" } }, action: Verify }
`

interface Run {
  /** s, from start to end */
  readonly took: number
  /** s */
  readonly cpu: number
  /** the most that was resident, in MiB */
  readonly memory: number
}

/** `tagwarden review` of Deployments, one in ten of them in violation, offline with a warm index. */
export async function benchManifests(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-bench-'))
  try {
    await prepare(folder)
    const review = ['review', '--offline', '--policies', 'policies', '--output', 'json']
    const bin = join(ROOT, 'bin/tagwarden.js')
    const bare = await best(folder, [join(ROOT, 'bench/bare_parse.ts'), '10000.yaml'])
    const stream = await best(folder, [bin, ...review, '-'], '10000.yaml')
    const small = await best(folder, [bin, ...review, '-'], '1000.yaml')
    const files = await best(folder, [bin, ...review, 'files'])
    const large = await measured(folder, [bin, ...review, '-'], '100000.yaml')
    return [
      { name: 'bare parse of 10,000 manifests', value: bare.cpu, unit: 's CPU' },
      { name: 'review of 10,000 manifests', value: stream.took, unit: 's', limit: 3 },
      { name: 'of the bare parse', value: stream.cpu / bare.cpu, unit: 'times', limit: 2.5 },
      { name: 'its memory', value: stream.memory, unit: 'MiB', limit: 200 },
      { name: 'review of 1,000 files with ten each', value: files.took, unit: 's', limit: 3 },
      {
        name: 'review of 1,000 manifests, start included',
        value: small.took,
        unit: 's',
        limit: 0.7,
      },
      { name: 'review of 100,000 manifests', value: large.took, unit: 's' },
      { name: 'its memory, with as many findings', value: large.memory, unit: 'MiB', limit: 200 },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function prepare(folder: string): Promise<void> {
  mkdirSync(join(folder, 'policies'))
  mkdirSync(join(folder, 'files'))
  writeFileSync(join(folder, 'policies/web.yaml'), POLICY)
  const catalog = createCatalog({ path: join(folder, 'catalog') })
  catalog.recordTags('ghcr.io/acme/web', ['v1.2.3', 'v1.4.2', 'v2.0.0', 'latest'], Date.now())
  await catalog.close()
  for (const count of [1_000, 10_000, 100_000]) {
    const file = openSync(join(folder, `${count}.yaml`), 'w')
    for (let index = 0; index < count; index += 1)
      writeSync(file, `---\n${deployment(index, count === 100_000 ? 100 : 10)}`)
    closeSync(file)
  }
  for (let file = 0; file < 1_000; file += 1) {
    const texts = Array.from({ length: 10 }, (_, index) => deployment(file * 10 + index))
    writeFileSync(join(folder, 'files', `${file}.yaml`), texts.join('---\n'))
  }
}

async function best(folder: string, args: readonly string[], input?: string): Promise<Run> {
  const runs: Run[] = []
  for (let count = 0; count < RUNS; count += 1) runs.push(await measured(folder, args, input))
  const least = (of: keyof Run) => Math.min(...runs.map((run) => run[of]))
  return { took: least('took'), cpu: least('cpu'), memory: least('memory') }
}

async function measured(cwd: string, args: readonly string[], input?: string): Promise<Run> {
  const stdin = input === undefined ? 'ignore' : openSync(join(cwd, input), 'r')
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', USAGE, ...args], {
    cwd,
    stdio: [stdin, 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (part) => {
    said += part
  })
  const [code] = await once(child, 'close')
  const took = (performance.now() - started) / 1000
  if (typeof stdin === 'number') closeSync(stdin)
  const usage = /^usage (.*)$/m.exec(said)?.[1]
  if (code > 1 || usage === undefined) throw new Error(`${args.join(' ')}: ${code}: ${said}`)
  return { took, ...JSON.parse(usage) }
}

/** A Deployment as teams write them. */
function deployment(index: number, every = 10): string {
  const tag = index % every === 0 ? 'latest' : 'v1.4.2'
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-${index}
  namespace: shop
  labels:
    app.kubernetes.io/name: web-${index}
    app.kubernetes.io/part-of: shop
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: web-${index}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: web-${index}
      annotations:
        prometheus.io/scrape: "true"
    spec:
      serviceAccountName: web
      containers:
        - name: app
          image: ghcr.io/acme/web:${tag}
          imagePullPolicy: IfNotPresent
          args: ["--listen", ":8080"]
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: LOG_LEVEL
              value: info
            - name: REGION
              valueFrom: { configMapKeyRef: { name: region, key: name } }
          resources:
            requests: { cpu: 100m, memory: 128Mi }
            limits:
              memory: 256Mi
          readinessProbe:
            httpGet:
              path: /healthz
              port: http
            periodSeconds: 10
          volumeMounts:
            - name: config
              mountPath: /etc/web
      volumes:
        - name: config
          configMap:
            name: web-${index}
`
}
