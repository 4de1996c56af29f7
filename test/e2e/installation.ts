import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Admin, openAdmin } from '../cluster/admin.ts'
import { HELM, requireAsset } from '../cluster/assets.ts'
import {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
  waitFor,
} from '../cluster/control-plane.ts'
import { type LoadBalancer, startLoadBalancer } from '../cluster/load_balancer.ts'
import { type FakeRegistry, startFakeRegistry } from '../fakes/registry.ts'
import { ROOT } from './world.ts'

export const NAMESPACE = 'tagwarden-system'
export const NAME = 'tagwarden'

const TAGS = ['v1.2.2', 'v1.2.3', 'v1.3.0', 'v1.4.1', 'v1.4.2', 'v1.5.0-rc.1', 'v2.0.0', 'latest']

/** One replica: a process that runs as the chart's service account. */
export interface Replica {
  readonly identity: string
  readonly url: string
  readonly child: ChildProcess
  /** all that it wrote */
  readonly output: () => string
  /** SIGTERM; gives the exit code */
  stop(): Promise<number | null>
  /** SIGKILL */
  kill(): Promise<void>
}

/** The chart in a real cluster, with processes in the place of its pods. */
export interface Installation {
  readonly cluster: ControlPlane
  readonly registry: FakeRegistry
  readonly admin: Admin
  readonly balancer: LoadBalancer
  /** name of an image with its registry */
  readonly image: (repository: string) => string
  readonly pinned: (repository: string, tag: string) => string
  readonly replicas: readonly Replica[]
  /** starts one more and waits until it is ready */
  start(identity: string): Promise<Replica>
  /** the identity of the leader, as the Lease has it */
  leader(): Promise<string | undefined>
  kubectl(args: string, input?: string, code?: number): Promise<string>
  helm(...args: string[]): Promise<string>
}

/** What a test of tap gives: a folder of its own, and an end for what it started. */
export interface Owner {
  testdir(content: Record<string, never>): string
  teardown(end: () => unknown): unknown
}

/** Installs the chart by helm and starts its replicas behind a load balancer. */
export async function startInstallation(
  t: Owner,
  options: ControlPlaneOptions & {
    replicas?: number
    values?: readonly string[]
    /** of each replica; undefined takes one away */
    env?: Readonly<Record<string, string | undefined>>
    /** what the cluster has before the chart */
    prepare?: (cluster: ControlPlane) => Promise<void>
  } = {},
): Promise<Installation> {
  const { replicas: count = 3, values = [], env = {} } = options
  const registry = await startFakeRegistry({
    repositories: { 'acme/web': TAGS, 'acme/tools': ['v1.0.0', 'v1.1.0'] },
  })
  t.teardown(() => registry.close())
  // after the first teardown: only then does tap take it away after all of them, when nobody writes
  const folder = t.testdir({})
  const host = `localhost:${registry.host.split(':')[1]}`
  const cluster = await startControlPlane(options)
  t.teardown(() => cluster.stop())
  const admin = openAdmin(cluster.kubeconfig)
  t.teardown(() => admin.close())
  const balancer = await startLoadBalancer()
  t.teardown(() => balancer.close())

  const helm = async (...args: string[]) => {
    const run = promisify(execFile)
    const { stdout } = await run(requireAsset(HELM), [...args, '--namespace', NAMESPACE], {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig, HELM_CACHE_HOME: folder },
    })
    return stdout
  }
  const kubectl: Installation['kubectl'] = async (args, input, code = 0) => {
    const result = await cluster.kubectl(args.split(' '), input === undefined ? {} : { input })
    if (result.code !== code) {
      throw new Error(
        `kubectl ${args} ended with ${result.code}:\n${result.stderr}${result.stdout}`,
      )
    }
    return `${result.stdout}${result.stderr}`
  }
  await options.prepare?.(cluster)
  const chart = join(ROOT, 'charts/tagwarden')
  await helm('install', NAME, chart, '--create-namespace', ...values.flatMap((v) => ['--set', v]))
  const config = await kubectl(
    `get configmap ${NAME} -n ${NAMESPACE} -o jsonpath={.data.tagwarden\\.yaml}`,
  )
  await writeFile(join(folder, 'tagwarden.yaml'), config)
  const kubeconfig = await cluster.kubeconfigFor(NAMESPACE, NAME)

  const replicas: Replica[] = []
  const start = async (identity: string): Promise<Replica> => {
    const own = join(folder, identity)
    await mkdir(own)
    const child = spawn(
      process.execPath,
      [join(ROOT, 'bin/tagwarden.js'), 'serve', '--config', join(folder, 'tagwarden.yaml')],
      {
        cwd: own,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          TAGWARDEN_LISTEN_ADDRESS: '127.0.0.1',
          TAGWARDEN_LISTEN_PORT: '0',
          TAGWARDEN_LISTEN_DRAIN_DELAY: '1s',
          TAGWARDEN_CATALOG_PATH: join(own, 'catalog'),
          TAGWARDEN_CERTIFICATES_PATH: join(own, 'certs'),
          TAGWARDEN_CLUSTER_KUBECONFIG: kubeconfig,
          TAGWARDEN_CLUSTER_NAMESPACE: NAMESPACE,
          TAGWARDEN_CLUSTER_IDENTITY: identity,
          TAGWARDEN_CLUSTER_LEASE_DURATION: '4s',
          TAGWARDEN_CLUSTER_WEBHOOKS_URL: balancer.url,
          TAGWARDEN_REGISTRIES: JSON.stringify([{ host, insecure: true }]),
          TAGWARDEN_LOG_LEVEL: 'debug',
          ...env,
        },
      },
    )
    let output = ''
    const read = (part: Buffer) => {
      output += part.toString('utf8')
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    const { promise: ended, resolve: end } = Promise.withResolvers<number | null>()
    let running = true
    // Not 'exit': its last words come after that.
    child.once('close', (code) => {
      running = false
      end(code)
    })
    t.teardown(() => {
      child.kill('SIGKILL')
      return ended
    })
    const address = () => /listens on (\S+)/.exec(output)?.[1]
    const program = [{ name: identity, log: () => output.slice(-20_000), ended: () => !running }]
    const becomes = (what: string, check: () => boolean) =>
      waitFor(check, { what: `${identity} ${what}`, running: program })
    await becomes('listens', () => address() !== undefined)
    const url = address() as string
    balancer.add(url)
    const leave = async <T>(work: () => Promise<T>): Promise<T> => {
      const result = await work()
      balancer.remove(url)
      replicas.splice(replicas.indexOf(replica), 1)
      return result
    }
    const replica: Replica = {
      identity,
      url,
      child,
      output: () => output,
      stop: () =>
        leave(() => {
          child.kill('SIGTERM')
          return ended
        }),
      kill: () =>
        leave(async () => {
          child.kill('SIGKILL')
          await ended
        }),
    }
    replicas.push(replica)
    await becomes('is ready', () => balancer.ready().includes(url))
    return replica
  }
  await Promise.all(Array.from({ length: count }, (_, index) => start(`replica-${index + 1}`)))
  if (count > 0) await registered(admin)
  return {
    cluster,
    registry,
    admin,
    balancer,
    image: (repository) => `${host}/${repository}`,
    pinned: (repository, tag) => `${host}/${repository}:${tag}@${registry.digest(repository, tag)}`,
    replicas,
    start,
    leader: async () => {
      const path = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${NAME}`
      const { body } = await admin.call('GET', path)
      const holder = (body['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity
      return holder?.replace(/_[^_]*$/, '')
    },
    kubectl,
    helm,
  }
}

/** Resolves when the API server has both webhook configurations. */
async function registered(admin: Admin): Promise<void> {
  await waitFor(
    async () => {
      const path = '/apis/admissionregistration.k8s.io/v1'
      const made = await Promise.all([
        admin.call('GET', `${path}/mutatingwebhookconfigurations/${NAME}`),
        admin.call('GET', `${path}/validatingwebhookconfigurations/${NAME}`),
      ])
      return made.every(({ status }) => status === 200)
    },
    { what: 'the webhooks are registered' },
  )
}
