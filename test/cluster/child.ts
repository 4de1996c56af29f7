import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => process.exit(1))
}

/** A program that a test started; it dies with the test. */
export interface Running {
  readonly name: string
  readonly pid: number
  /** the last lines that it wrote */
  readonly log: () => string
  readonly ended: () => boolean
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>
}

/** Starts a program whose output is kept for the day when it fails. */
export function start(name: string, command: string, args: readonly string[], env = {}): Running {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  children.add(child)
  let log = ''
  const keep = (part: Buffer) => {
    log = (log + part.toString('utf8')).slice(-8000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => {
      children.delete(child)
      resolve()
    })
    child.once('error', (error) => {
      log += String(error)
      resolve()
    })
  })
  const ended = () => child.exitCode !== null || child.signalCode !== null
  return {
    name,
    pid: child.pid ?? -1,
    log: () => log,
    ended,
    stop: async () => {
      if (ended()) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
      await exit
      clearTimeout(timer)
    },
  }
}

/** Asks again until it is true. */
export async function waitFor(
  check: () => Promise<boolean> | boolean,
  options: {
    readonly timeout: number
    readonly what: string
    readonly running?: readonly Running[]
  },
): Promise<void> {
  const end = Date.now() + options.timeout
  for (;;) {
    if (await check()) return
    const dead = options.running?.find((each) => each.ended())
    if (dead) throw new Error(`${dead.name} ended:\n${dead.log()}`)
    if (Date.now() > end) {
      const logs = options.running?.map((each) => `${each.name}:\n${each.log()}`).join('\n')
      throw new Error(`not in ${options.timeout} ms: ${options.what}\n${logs ?? ''}`)
    }
    await delay(50)
  }
}

/** Ports of 127.0.0.1 that nobody uses now; all of them different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
