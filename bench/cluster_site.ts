import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ControlPlaneOptions } from '../test/cluster/control-plane.ts'
import { type Installation, startInstallation } from '../test/e2e/installation.ts'
import { SHIPPED } from './processes.ts'

/** Of the image, and of the chart with its memory limit of 512 MiB. */
export const NODE_OPTIONS = `${SHIPPED.flags.join(' ')} --max-old-space-size=${Math.floor(512 * 0.7)}`
/** As the image and the chart start a replica. */
const AS_INSTALLED = {
  ...SHIPPED.env,
  TAGWARDEN_LOG_LEVEL: 'info',
  TAGWARDEN_CLUSTER_LEASE_DURATION: '15s',
  NODE_OPTIONS,
}

/** An installation on a real control plane, without nodes. */
export interface ClusterSite {
  readonly world: Installation
  close(): Promise<void>
}

/**
 * Starts a control plane and replicas. API server, replicas and load share all cores, as nothing
 * else would be fair to any of them; `close` gives this process its own one back.
 */
export async function startClusterSite(
  replicas: number,
  env: Readonly<Record<string, string>> = {},
  options: ControlPlaneOptions = {},
): Promise<ClusterSite> {
  runOn(`0-${cpus().length - 1}`)
  const ends: (() => unknown)[] = [() => runOn('1')]
  const close = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  const owner = {
    testdir: () => {
      const folder = mkdtempSync(join(tmpdir(), 'tagwarden-bench-'))
      ends.push(() => rmSync(folder, { recursive: true, force: true }))
      return folder
    },
    teardown: (end: () => unknown) => ends.push(end),
  }
  try {
    const more = { ...options, replicas, env: { ...AS_INSTALLED, ...env } }
    return { world: await startInstallation(owner, more), close }
  } catch (error) {
    await close()
    throw error
  }
}

function runOn(cores: string): void {
  execFileSync('taskset', ['-apc', cores, String(process.pid)], { stdio: 'ignore' })
}

/** Creates a namespace. */
export async function addNamespace({ admin }: Installation, name: string): Promise<void> {
  const { status, body } = await admin.call('POST', '/api/v1/namespaces', { metadata: { name } })
  if (status !== 201) throw new Error(`namespace ${name}: ${status} ${body['message']}`)
}

/** Puts a policy in force for every image of the site's registry. */
export async function applyPolicy(
  { admin, image }: Installation,
  policy: {
    readonly namespace: string
    readonly action: 'Track' | 'Verify'
    readonly range?: string
  },
): Promise<void> {
  const { namespace, action, range = '>=1.2.3 <2.0.0' } = policy
  const { status, body } = await admin.call(
    'PATCH',
    `/apis/tagwarden.io/v1alpha1/namespaces/${namespace}/imagepolicies/all?fieldManager=bench&force=true`,
    {
      apiVersion: 'tagwarden.io/v1alpha1',
      kind: 'ImagePolicy',
      metadata: { name: 'all', namespace },
      spec: { images: [image('acme/*')], action, order: { semver: { range } } },
    },
    'application/apply-patch+yaml',
  )
  if (status !== 200 && status !== 201) throw new Error(`policy: ${status} ${body['message']}`)
}
