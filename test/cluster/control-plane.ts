import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiServer, kubeconfigOf, startApiServer } from './api_server.ts'
import { type AuditEntry, readAuditLog } from './audit_log.ts'
import { type Running, waitFor } from './child.ts'
import { startFakeNode } from './fake_node.ts'
import { runKubectl } from './kubectl.ts'
import type { ProgramResult } from './program.ts'
import { settleRights } from './rights.ts'

export type { AuditEntry } from './audit_log.ts'
export { waitFor } from './child.ts'
export type { ProgramResult } from './program.ts'

/** A real Kubernetes API server, with controllers and a fake node when asked for. */
export interface ControlPlane {
  /** path of an admin's kubeconfig */
  readonly kubeconfig: string
  readonly url: string
  /** URL of etcd, for its JSON API; without TLS */
  readonly etcd: string
  /** process ids of its programs */
  readonly pids: readonly number[]
  /** Runs kubectl; another exit code than 0 is a result, not an error. */
  kubectl(
    args: readonly string[],
    options?: { readonly input?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<ProgramResult>
  /**
   * Kills the API server, does something meanwhile, and starts it again, on the same port and
   * data; waits until it is ready.
   */
  restartApiServer(meanwhile?: () => unknown): Promise<void>
  /** Lets etcd answer so many ms later, each way; 0 is normal. */
  delayEtcd(ms: number): void
  /**
   * Path of a kubeconfig of a service account, which has to be there, with a token of its own and
   * its namespace. The rights that it was given before count.
   */
  kubeconfigFor(namespace: string, serviceAccount: string): Promise<string>
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
  /** ms that etcd answers later than it could, each way; see `delayEtcd` */
  readonly etcdDelay?: number
  /** further flags of kube-apiserver */
  readonly flags?: readonly string[]
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

async function startOnce(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { nodes, etcdDelay = 0 } = options
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-cluster-'))
  const running: Running[] = []
  let api: ApiServer | undefined
  const stop = async () => {
    await Promise.all([api?.close(), ...running.map((each) => each.stop())])
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    api = await startApiServer(folder, running, options)
    if (nodes) await startFakeNode(api, running)
    else await addServiceAccount(api)
    const { kubeconfig, url, etcd } = api
    const made = api
    made.delayEtcd(etcdDelay)
    return {
      kubeconfig,
      url,
      etcd,
      get pids() {
        return running.map((each) => each.pid)
      },
      restartApiServer: made.restart,
      delayEtcd: made.delayEtcd,
      kubeconfigFor: (...account) => writeAccount(made, folder, ...account),
      kubectl: (args, more) => runKubectl(kubeconfig, args, more),
      auditLog: () => readAuditLog(join(folder, 'audit.log')),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function writeAccount(
  api: ApiServer,
  folder: string,
  namespace: string,
  account: string,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
  const { status, body } = await api.call<{ status: { token: string } }>('POST', path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600 },
  })
  if (status !== 201 || body === undefined) {
    throw new Error(`no token for ${namespace}/${account}: ${status}`)
  }
  await settleRights(api, namespace)
  const file = join(folder, `kubeconfig-${namespace}-${account}`)
  writeFileSync(file, kubeconfigOf(api.url, api.ca, { token: body.status.token }, namespace))
  return file
}

// A controller's work, where there are none. The API server makes the namespace after it is ready.
function addServiceAccount(api: ApiServer): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  return waitFor(
    async () => {
      const path = '/api/v1/namespaces/default/serviceaccounts'
      return (await api.call('POST', path, account)).status === 201
    },
    { what: 'the namespace default takes a service account' },
  )
}
