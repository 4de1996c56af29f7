import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { requireAsset } from './assets.ts'

/** What a kubectl run gave. */
export interface KubectlResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the real kubectl, with caches of its own beside the kubeconfig. */
export function runKubectl(
  kubeconfig: string,
  args: readonly string[],
  options: {
    /** for `-f -` */
    readonly input?: string
    readonly env?: Readonly<Record<string, string>>
  } = {},
): Promise<KubectlResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(requireAsset('kubectl'), [`--kubeconfig=${kubeconfig}`, ...args], {
      env: { ...process.env, HOME: dirname(kubeconfig), ...options.env },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (part) => {
      stdout += part
    })
    child.stderr.setEncoding('utf8').on('data', (part) => {
      stderr += part
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
    // It may end without reading its input; its exit code tells.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}
