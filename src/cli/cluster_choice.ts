import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { ClusterOptions } from '../cluster/index.ts'
import type { Config } from '../config/index.ts'

/** The cluster that a command for people asks: as its options say, else as configured. */
export function chosenCluster(
  options: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
  { cluster }: Pick<Config, 'cluster'>,
): Pick<ClusterOptions, 'kubeconfig' | 'context'> {
  return {
    kubeconfig: options.kubeconfig ?? cluster.kubeconfig ?? usualKubeconfig(process.env),
    context: options.context ?? cluster.context,
  }
}

/**
 * Those of `KUBECONFIG` that are there; else, in a pod, none; else the file of kubectl.
 *
 * @returns undefined: by the pod's service account
 */
function usualKubeconfig(env: NodeJS.ProcessEnv): string | readonly string[] | undefined {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '')
  if (listed.length > 0) {
    const there = listed.filter((file) => existsSync(file))
    return there.length > 0 ? there : listed
  }
  if (env['KUBERNETES_SERVICE_HOST'] !== undefined) return undefined
  return join(homedir(), '.kube/config')
}
