import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** What is run. */
export const BIN = join(import.meta.dirname, '../../bin/tagwarden.js')

/** What a run of the command line gave. */
export interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the real command line. */
export function tagwarden(
  args: readonly string[],
  options: { readonly input?: string | Buffer; readonly cwd?: string } = {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const { GITHUB_ACTIONS: _, ...env } = process.env // whose paths are those of its workspace
    const child = spawn(process.execPath, [BIN, ...args], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.cwd && { cwd: options.cwd }),
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (part) => {
      out += part
    })
    child.stderr.on('data', (part) => {
      err += part
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}
