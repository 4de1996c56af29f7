import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Config } from '../config/index.ts'

/**
 * The kubeconfig of a command for people: as named; else as configured; else `KUBECONFIG`; else, in
 * a pod, none; else the file of kubectl.
 *
 * @returns undefined: by the pod's service account
 */
export function kubeconfigFor(
  named: string | undefined,
  { cluster }: Pick<Config, 'cluster'>,
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const given = named ?? cluster.kubeconfig
  if (given !== undefined) return given
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '')
  const first = listed.find((file) => existsSync(file)) ?? listed[0]
  if (first !== undefined) return first
  if (env['KUBERNETES_SERVICE_HOST'] !== undefined) return undefined
  const file = join(homedir(), '.kube/config')
  return existsSync(file) ? file : undefined
}
