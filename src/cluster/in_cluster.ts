import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Credentials } from './access.ts'
import { ClusterError } from './cluster_error.ts'

/** Where the kubelet puts what a pod needs to speak to its API server. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
/** The kubelet writes a new token when a fifth of the old one's life is left: minutes. */
const READ_AGAIN_MS = 20_000

/**
 * The pod's service account. Its files are few and plain, so the Kubernetes client with its
 * 70 MiB is not loaded for them.
 *
 * @param mount folder of `token`, `ca.crt` and `namespace`
 * @throws ClusterError when this is no pod
 */
export async function inClusterCredentials(
  environment: Readonly<Record<string, string | undefined>>,
  mount: string = SERVICE_ACCOUNT,
): Promise<Credentials> {
  const host = environment['KUBERNETES_SERVICE_HOST']
  const port = environment['KUBERNETES_SERVICE_PORT']
  if (!host || !port) {
    throw unusable(
      'this is no pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set',
    )
  }
  const read = (name: string) => readFile(join(mount, name), 'utf8')
  let files: { readonly at: number; readonly token: string; readonly ca: string } | undefined

  async function load() {
    try {
      const [token, ca] = await Promise.all([read('token'), read('ca.crt')])
      files = { at: performance.now(), token: token.trim(), ca }
      return files
    } catch (cause) {
      if (files) return files
      throw unusable(`the service account in ${mount} cannot be read`, cause)
    }
  }

  await load()
  const namespace = await read('namespace').then(
    (text) => text.trim() || undefined,
    () => undefined,
  )
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    namespace,
    proxy: undefined,
    async current() {
      const fresh = files !== undefined && performance.now() - files.at < READ_AGAIN_MS
      const { token, ca } = fresh && files ? files : await load()
      return { headers: { authorization: `Bearer ${token}` }, tls: { ca } }
    },
    async renew() {
      await load()
    },
  }
}

function unusable(message: string, cause?: unknown): ClusterError {
  return new ClusterError(message, {
    answer: 0,
    reason: 'Unreachable',
    remedy:
      'Set cluster.kubeconfig outside of a pod; in one, let it mount its service account token',
    cause,
  })
}
