import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type ControlPlane, startControlPlane, waitFor } from '../cluster/control-plane.ts'
import { type FakeRegistry, startFakeRegistry } from '../fakes/registry.ts'

export const ROOT = join(import.meta.dirname, '../..')

/** A cluster, a registry, and `tagwarden dev` between them. */
export interface World {
  readonly cluster: ControlPlane
  readonly registry: FakeRegistry
  readonly folder: string
  /** name of the image with its registry, such as `localhost:35001/acme/web` */
  readonly image: (repository: string) => string
  readonly dev: Dev
  /** writes (or replaces) a policy file, and waits until it is in force */
  policy(name: string, yaml: string): Promise<void>
  /** runs kubectl with a manifest on its standard input; fails the test on another exit code */
  kubectl(args: string, input?: string, code?: number): Promise<string>
  /** one field of an object */
  get(what: string, jsonpath: string): Promise<string>
}

/** A running `tagwarden dev`. */
export interface Dev {
  readonly child: ChildProcess
  readonly output: () => string
  waitFor(pattern: RegExp, times?: number): Promise<void>
  /** sends SIGTERM and gives the exit code */
  stop(): Promise<number | null>
  /** sends SIGKILL */
  kill(): Promise<unknown>
}

const TAGS = ['v1.2.2', 'v1.2.3', 'v1.3.0', 'v1.4.1', 'v1.4.2', 'v1.5.0-rc.1', 'v2.0.0', 'latest']

/** The policy that most tests use; `spec` is added to it. */
export function webPolicy(image: string, spec = 'action: Track', namespace = 'default'): string {
  return `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: web, namespace: ${namespace} }
spec:
  images: ["${image}"]
  order: { semver: { range: ">=1.2.3 <2.0.0" } }
  ${spec}
`
}

export async function startWorld(
  t: Test,
  options: { nodes?: boolean; interval?: string; auditLog?: boolean } = {},
): Promise<World> {
  const { nodes = true, interval = '1h', auditLog = false } = options
  const registry = await startFakeRegistry({
    repositories: { 'acme/web': TAGS, 'acme/tools': ['v1.0.0', 'v1.1.0'] },
  })
  t.teardown(() => registry.close())
  // after the first teardown: only then does tap take it away after all of them, when nobody writes
  const folder = t.testdir({ policies: {}, certs: {} })
  const host = `localhost:${registry.host.split(':')[1]}`
  const image = (repository: string) => `${host}/${repository}`
  const cluster = await startControlPlane({ nodes, auditLog })
  t.teardown(() => cluster.stop())
  await writeFile(join(folder, 'policies/web.yaml'), webPolicy(image('acme/web')))
  await writeFile(
    join(folder, 'tagwarden.yaml'),
    `listen: { address: 127.0.0.1, port: 0 }
policies: [./policies]
catalog: { path: ./catalog, interval: ${interval} }
certificates: { path: ./certs }
registries: [{ host: "${host}", insecure: true }]
imageFields:
  - { group: example.com, kind: Rollout, paths: ["/spec/template/spec/containers/*/image", "/spec/tool"] }
log: { level: debug }
`,
  )
  await defineCustomKind(cluster)
  const dev = await startDev(t, cluster, folder)

  const kubectl = async (args: string, input?: string, code = 0) => {
    const result = await cluster.kubectl(args.split(' '), input === undefined ? {} : { input })
    if (result.code !== code) {
      throw new Error(
        `kubectl ${args} ended with ${result.code}:\n${result.stderr}${result.stdout}`,
      )
    }
    return `${result.stdout}${result.stderr}`
  }
  return {
    cluster,
    registry,
    folder,
    image,
    dev,
    kubectl,
    policy: async (name, yaml) => {
      const before = dev.output().split('policies in force').length
      await writeFile(join(folder, 'policies', `${name}.yaml`), yaml)
      await dev.waitFor(/policies in force/, before)
    },
    get: async (what, jsonpath) => kubectl(`get ${what} -o jsonpath=${jsonpath}`),
  }
}

const ROLLOUTS = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: rollouts.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { kind: Rollout, plural: rollouts, singular: rollout }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
`

async function defineCustomKind(cluster: ControlPlane): Promise<void> {
  const made = await cluster.kubectl(['create', '-f', '-'], { input: ROLLOUTS })
  if (made.code !== 0) throw new Error(made.stderr)
  await waitFor(async () => (await cluster.kubectl(['get', 'rollouts'])).code === 0, {
    what: 'the custom kind is served',
  })
}

/** Starts `tagwarden dev` for the folder's configuration. */
export async function startDev(t: Test, cluster: ControlPlane, folder: string): Promise<Dev> {
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'bin/tagwarden.js'),
      'dev',
      '--kubeconfig',
      cluster.kubeconfig,
      '--config',
      join(folder, 'tagwarden.yaml'),
      '--failure-policy',
      'Fail',
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  const read = (part: Buffer) => {
    output += part.toString('utf8')
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  // Not 'exit': its last words come after that.
  const { promise: ended, resolve: end } = Promise.withResolvers<number | null>()
  let running = true
  child.once('close', (code) => {
    running = false
    end(code)
  })
  const kill = () => {
    child.kill('SIGKILL')
    return ended
  }
  t.teardown(kill)
  const dev: Dev = {
    child,
    output: () => output,
    waitFor: async (pattern, times = 1) => {
      const global = new RegExp(pattern.source, 'g')
      const said = () => (output.match(global)?.length ?? 0) >= times
      const what = `tagwarden dev says ${pattern} ${times} times`
      await waitFor(() => said() || !running, { what }).catch(() => {})
      if (!said()) throw new Error(`${what}: never\n${output}`)
    },
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
    kill,
  }
  await dev.waitFor(/registered in/)
  await called(cluster, dev)
  return dev
}

/** Waits until the API server calls both webhooks: it reads what is registered a moment later. */
async function called(cluster: ControlPlane, dev: Dev): Promise<void> {
  const input = deployment('probe', 'localhost:1/probe:latest')
  const isMutated = (line: string) => /"hook":"mutate".*probe/.test(line)
  await waitFor(
    async () => {
      const { stderr } = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], { input })
      return /\[LatestTag\]/.test(stderr) && dev.output().split('\n').some(isMutated)
    },
    { what: 'the API server calls both webhooks' },
  )
}

/** A Deployment of one container `app`. */
export function deployment(
  name: string,
  image: string,
  more: { replicas?: number; env?: string } = {},
): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: ${more.replicas ?? 3}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: app
          image: ${image}
          env: [{ name: A, value: "${more.env ?? 'a'}" }]
`
}

export const IMAGE = '{.spec.template.spec.containers[0].image}'
export const GENERATION = '{.metadata.generation}'
