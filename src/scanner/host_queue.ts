import { unlessAborted } from '../scheduling/index.ts'

/** So many requests run on one host at once; for work in the background, half of them. */
const RUNNING = 8
/** So many more may wait; background work is limited by who starts it. */
export const MOST_WAITING = 256

interface Host {
  running: number
  background: number
  readonly urgent: Set<() => void>
  readonly patient: Set<() => void>
}

/** Limits how many requests run on one registry host, so that one that hangs costs little. */
export interface HostQueue {
  /** Whether as many wait for the host as should; whoever comes now is to be told so instead. */
  isFull(host: string): boolean
  /**
   * Runs the work when the host has room. Background work waits behind all other.
   *
   * @throws the signal's reason when it aborts, whether or not the work heeds it
   */
  run<T>(host: string, background: boolean, signal: AbortSignal, work: () => Promise<T>): Promise<T>
}

export function createHostQueue(): HostQueue {
  const hosts = new Map<string, Host>()

  function leave(name: string, host: Host, background: boolean): void {
    host.running -= 1
    host.background -= background ? 1 : 0
    const next = host.urgent.values().next().value ?? host.patient.values().next().value
    if (next) next()
    else if (host.running === 0) hosts.delete(name)
  }

  /** Resolves when there is room; the caller has it until leave(). */
  function enter(host: Host, background: boolean, signal: AbortSignal) {
    const queue = background ? host.patient : host.urgent
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const attempt = () => {
      const full = host.running >= RUNNING || (background && host.background >= RUNNING / 2)
      if (full) return false
      host.running += 1
      host.background += background ? 1 : 0
      queue.delete(attempt)
      signal.removeEventListener('abort', giveUp)
      resolve()
      return true
    }
    const giveUp = () => {
      queue.delete(attempt)
      reject(signal.reason)
    }
    if (!attempt()) {
      queue.add(attempt)
      signal.addEventListener('abort', giveUp, { once: true })
    }
    return promise
  }

  return {
    isFull: (name) => (hosts.get(name)?.urgent.size ?? 0) >= MOST_WAITING,
    async run(name, background, signal, work) {
      signal.throwIfAborted()
      const host = hosts.get(name) ?? {
        running: 0,
        background: 0,
        urgent: new Set(),
        patient: new Set(),
      }
      hosts.set(name, host)
      await enter(host, background, signal)
      try {
        return await unlessAborted(work(), signal)
      } finally {
        leave(name, host, background)
      }
    },
  }
}
