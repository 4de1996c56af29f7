import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Installation, NAME, NAMESPACE } from '../test/e2e/installation.ts'

/** Runs first in a replica: what the kubelet would mount stands in a folder of the bench. */
const MOUNT = `
import { promises, readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const folder = process.env.BENCH_SERVICE_ACCOUNT
const { hostname, port } = new URL(readFileSync(folder + '/server', 'utf8'))
process.env.KUBERNETES_SERVICE_HOST = hostname
process.env.KUBERNETES_SERVICE_PORT = port
const { readFile } = promises
const moved = (path) =>
  typeof path === 'string'
    ? path.replace('/var/run/secrets/kubernetes.io/serviceaccount', folder)
    : path
promises.readFile = (path, ...more) => readFile(moved(path), ...more)
syncBuiltinESMExports()
`

/** The environment of a replica that finds its API server as in a pod, where no kubeconfig is read. */
export function podEnvironment(folder: string, nodeOptions: string): Record<string, string> {
  return {
    TAGWARDEN_CLUSTER_KUBECONFIG: '',
    BENCH_SERVICE_ACCOUNT: join(folder, 'serviceaccount'),
    NODE_OPTIONS: `${nodeOptions} --import=data:text/javascript,${encodeURIComponent(MOUNT)}`,
  }
}

/** Writes what `podEnvironment` of the same folder speaks of. */
export async function mountServiceAccount(
  { cluster }: Installation,
  folder: string,
): Promise<void> {
  const path = await cluster.kubeconfigFor(NAMESPACE, NAME)
  const { clusters, users } = JSON.parse(readFileSync(path, 'utf8'))
  const mount = join(folder, 'serviceaccount')
  mkdirSync(mount)
  const files = {
    token: users[0].user.token,
    'ca.crt': Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64'),
    namespace: NAMESPACE,
    server: clusters[0].cluster.server,
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(mount, name), content)
}
