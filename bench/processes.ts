import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * As `npm start` and the image run it (a test holds them together): a burst of garbage does not
 * grow the young heap, and glibc keeps little of what large answers have taken.
 */
export const SHIPPED = {
  flags: ['--max-semi-space-size=8'],
  env: { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072', TAGWARDEN_BUILT: '1' },
} as const

/** Clock ticks a second, as /proc counts CPU time on every Linux of today. */
const TICKS = 100

/** A process under measurement. */
export interface Measured {
  readonly child: ChildProcess
  readonly output: () => string
  /** CPU time used so far, in ms */
  cpu(): number
  /** resident memory, in MiB */
  memory(): number
  stop(): Promise<void>
}

/**
 * Starts a program of Node on one core, or some as `0,1`, and waits for a line that says that it is
 * ready.
 */
export async function startOnCore(
  core: number | string,
  args: readonly string[],
  ready: RegExp,
  env: Record<string, string> = {},
): Promise<Measured & { readonly took: number }> {
  const started = performance.now()
  const child = spawn('taskset', ['-c', String(core), process.execPath, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const took = await new Promise<number>((resolve, reject) => {
    const read = (part: Buffer) => {
      output = (output + part.toString('utf8')).slice(-200_000)
      if (ready.test(output)) resolve(performance.now() - started)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) =>
      reject(new Error(`${args.join(' ')} ended with ${code}:\n${output}`)),
    )
  })
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  return {
    child,
    took,
    output: () => output,
    cpu: () => cpuOf(child.pid as number),
    memory: () => memoryOf(child.pid as number),
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit')
        child.once('exit', () => {
          process.off('exit', killed)
          resolve()
        })
        child.kill('SIGTERM')
      }),
  }
}

/** CPU time that a process has used so far, in ms. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS
}

/** Resident memory of a process, in MiB. */
export function memoryOf(pid: number): number {
  return statusOf(pid, /VmRSS:\s+(\d+) kB/)
}

/** The most that was ever resident of a process, in MiB. */
export function peakOf(pid: number): number {
  return statusOf(pid, /VmHWM:\s+(\d+) kB/)
}

function statusOf(pid: number, field: RegExp): number {
  const line = field.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1]) / 1024
}
