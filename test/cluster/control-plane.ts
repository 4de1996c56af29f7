import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiServer, startApiServer } from './api_server.ts'
import { type AuditEntry, readAuditLog } from './audit_log.ts'
import { type Running, waitFor } from './child.ts'
import { startFakeNode } from './fake_node.ts'
import { type KubectlResult, runKubectl } from './kubectl.ts'

export type { AuditEntry } from './audit_log.ts'
export { waitFor } from './child.ts'
export type { KubectlResult } from './kubectl.ts'

/** A real Kubernetes API server, with controllers and a fake node when asked for. */
export interface ControlPlane {
  /** path of an admin's kubeconfig */
  readonly kubeconfig: string
  readonly url: string
  /** process ids of its programs */
  readonly pids: readonly number[]
  /** Runs kubectl; another exit code than 0 is a result, not an error. */
  kubectl(
    args: readonly string[],
    options?: { readonly input?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<KubectlResult>
  /** Writes so far, oldest first; an entry may come a moment after its answer. */
  auditLog(): AuditEntry[]
  /** Ends every program and removes their data; may be called twice. */
  stop(): Promise<void>
}

/** What to start. */
export interface ControlPlaneOptions {
  /** controllers, scheduler, and a fake node; without them nothing but the API answers */
  readonly nodes?: boolean
  readonly auditLog?: boolean
}

/**
 * Starts a control plane on free ports of 127.0.0.1, with RBAC, and a service account in the
 * namespace default, so that pods can be made.
 *
 * @example
 *   const cluster = await startControlPlane({ nodes: true })
 *   t.teardown(() => cluster.stop())
 *   const { code } = await cluster.kubectl(['create', '-f', '-'], { input: yaml })
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(options)
    } catch (error) {
      // A port that was free may be taken before it is used.
      if (attempt === 3 || !String(error).includes('address already in use')) throw error
    }
  }
}

async function startOnce({ nodes, auditLog = false }: ControlPlaneOptions): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-cluster-'))
  const running: Running[] = []
  let api: ApiServer | undefined
  const stop = async () => {
    await Promise.all([api?.close(), ...running.map((each) => each.stop())])
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    api = await startApiServer(folder, running, auditLog)
    if (nodes) await startFakeNode(api, running)
    else await addServiceAccount(api)
    const { kubeconfig, url } = api
    return {
      kubeconfig,
      url,
      pids: running.map((each) => each.pid),
      kubectl: (args, more) => runKubectl(kubeconfig, args, more),
      auditLog: () => readAuditLog(join(folder, 'audit.log')),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

// A controller's work, where there are none. The API server makes the namespace after it is ready.
function addServiceAccount(api: ApiServer): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  return waitFor(
    async () => {
      const path = '/api/v1/namespaces/default/serviceaccounts'
      return (await api.call('POST', path, account)).status === 201
    },
    { timeout: 15_000, what: 'the namespace default takes a service account' },
  )
}
