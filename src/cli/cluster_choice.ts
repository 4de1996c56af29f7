import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Config } from '../config/index.ts'

/**
 * The kubeconfig of a command for people: as named; else as configured; else those of `KUBECONFIG`
 * that are there; else, in a pod, none; else the file of kubectl.
 *
 * @returns undefined: by the pod's service account
 */
export function kubeconfigFor(
  named: string | undefined,
  { cluster }: Pick<Config, 'cluster'>,
  env: NodeJS.ProcessEnv = process.env,
): string | readonly string[] | undefined {
  const given = named ?? cluster.kubeconfig
  if (given !== undefined) return given
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '')
  if (listed.length > 0) {
    const there = listed.filter((file) => existsSync(file))
    return there.length > 0 ? there : listed
  }
  if (env['KUBERNETES_SERVICE_HOST'] !== undefined) return undefined
  const file = join(homedir(), '.kube/config')
  return existsSync(file) ? file : undefined
}
