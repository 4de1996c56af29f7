import { dirname } from 'node:path'
import { requireAsset } from './assets.ts'
import { type ProgramResult, runProgram } from './program.ts'

/** Runs the real kubectl, with caches of its own beside the kubeconfig. */
export function runKubectl(
  kubeconfig: string,
  args: readonly string[],
  options: {
    /** for `-f -` */
    readonly input?: string
    readonly env?: Readonly<Record<string, string>>
  } = {},
): Promise<ProgramResult> {
  const { input } = options
  const env = { ...process.env, HOME: dirname(kubeconfig), ...options.env }
  return runProgram(requireAsset('kubectl'), [`--kubeconfig=${kubeconfig}`, ...args], {
    env,
    input,
  })
}
