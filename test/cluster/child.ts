import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1))
}

// On Linux the kernel ends a child also when nobody could: its parent got SIGKILL.
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path))

/** A program that a test started; it dies with the test. */
export interface Running {
  readonly name: string
  readonly pid: number
  /** the last 8 KB that it wrote */
  readonly log: () => string
  readonly ended: () => boolean
  /** Kills it, and waits until it is gone. */
  stop(): Promise<void>
}

/** Starts a program whose output is kept for the day when it fails. */
export function start(name: string, command: string, args: readonly string[]): Running {
  const [file, ...all] = SETPRIV
    ? [SETPRIV, '--pdeathsig', 'KILL', command, ...args]
    : [command, ...args]
  const child = spawn(file, all, { stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  let log = ''
  const keep = (part: Buffer) => {
    log = (log + part.toString('utf8')).slice(-8192)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  let ended = false
  const end = new Promise<void>((resolve) => {
    const finish = (error?: unknown) => {
      if (error instanceof Error) log += error.message
      children.delete(child)
      ended = true
      resolve()
    }
    child.once('error', finish)
    // Not 'exit': its last words come after that.
    child.once('close', finish)
  })
  return {
    name,
    pid: child.pid ?? -1,
    log: () => log,
    ended: () => ended,
    stop: () => {
      child.kill('SIGKILL')
      return end
    },
  }
}

/** In ms: nobody waits for it but a test that fails, and a busy machine is many times slower. */
const LONG = 240_000

/** Asks every 50 ms until it is true; throws with the logs when that takes too long, or one ends. */
export async function waitFor(
  check: () => Promise<boolean> | boolean,
  options: {
    readonly what: string
    /** ms; for tests of this, and for what takes minutes */
    readonly timeout?: number
    /** programs without which it can't become true */
    readonly running?: readonly Pick<Running, 'name' | 'log' | 'ended'>[]
  },
): Promise<void> {
  const { what, timeout = LONG, running = [] } = options
  const end = Date.now() + timeout
  while (!(await check())) {
    const dead = running.find((each) => each.ended())
    if (dead) throw new Error(`${dead.name} ended before ${what}:\n${dead.log()}`)
    if (Date.now() > end) {
      const logs = running.map((each) => `${each.name}:\n${each.log()}`)
      throw new Error([`not within ${timeout} ms: ${what}`, ...logs].join('\n'))
    }
    await delay(50)
  }
}
