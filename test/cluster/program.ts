import { spawn } from 'node:child_process'

/** What a program said. */
export interface ProgramResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end; another exit code than 0 is a result, not an error. */
export function runProgram(
  path: string,
  args: readonly string[],
  options: { readonly input?: string | undefined; readonly env: NodeJS.ProcessEnv },
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { env: options.env })
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
