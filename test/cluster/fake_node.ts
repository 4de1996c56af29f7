import { dirname, join } from 'node:path'
import type { ApiServer } from './api_server.ts'
import { requireAsset } from './assets.ts'
import { type Running, start, waitFor } from './child.ts'

const SIZE = { cpu: '64', memory: '256Gi', pods: '500' }
const NODE = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'fake',
    annotations: { 'kwok.x-k8s.io/node': 'fake' },
    labels: { 'kubernetes.io/hostname': 'fake', 'kubernetes.io/os': 'linux' },
  },
  status: { allocatable: SIZE, capacity: SIZE },
}

/**
 * Starts the controllers (each under its own service account), the scheduler and kwok, and waits
 * until one fake node is ready, on which pods become Running at once.
 */
export async function startFakeNode(api: ApiServer, running: Running[]): Promise<void> {
  const folder = dirname(api.kubeconfig)
  const kubeconfig = `--kubeconfig=${api.kubeconfig}`
  running.push(
    start('kube-controller-manager', requireAsset('kube-controller-manager'), [
      kubeconfig,
      '--leader-elect=false',
      '--use-service-account-credentials=true',
      '--kube-api-qps=1000',
      '--kube-api-burst=1000',
      `--service-account-private-key-file=${join(folder, 'sa.key')}`,
      `--root-ca-file=${join(folder, 'ca.crt')}`,
      '--secure-port=0',
    ]),
    start('kube-scheduler', requireAsset('kube-scheduler'), [
      kubeconfig,
      '--leader-elect=false',
      '--secure-port=0',
    ]),
    start('kwok', requireAsset('kwok'), [
      kubeconfig,
      `--config=${requireAsset('kwok-stages.yaml')}`,
      '--manage-all-nodes=true',
      '--node-ip=127.0.0.1',
    ]),
  )
  const made = await api.call<{ message: string }>('POST', '/api/v1/nodes', NODE)
  if (made.status !== 201) throw new Error(`the node was not made: ${made.body?.message}`)
  await waitFor(() => isReady(api), {
    what: 'the node is ready and the namespace default has its service account',
    running,
  })
}

interface Node {
  readonly spec: { readonly taints?: readonly unknown[] }
  readonly status: { readonly conditions?: readonly { type: string; status: string }[] }
}

// No pod goes to a node before the controllers have removed the taint that a new one has.
async function isReady(api: ApiServer): Promise<boolean> {
  const account = await api.call('GET', '/api/v1/namespaces/default/serviceaccounts/default')
  const { body: node } = await api.call<Node>('GET', '/api/v1/nodes/fake')
  const ready = node?.status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
  return account.status === 200 && ready && node.spec.taints === undefined
}
