import { backoff } from './backoff.ts'
import { setUnreferencedTimer, type Timer } from './timer.ts'

/** Work that failed is tried again after this, in ms; twice as long each time, up to the limit. */
const FIRST_RETRY = 1_000
const LAST_RETRY = 60_000
const WORKERS = 4
/** What all workers may take at once of the time that comes, in ms, and as much again. */
const MOST_AHEAD = 2 * WORKERS * 1_000
/** So much may wait. What comes then is left out: whoever wants it will come again. */
const SIZE = 20_000

/** Work by key, at a pace, each key once however often it is added meanwhile. */
export interface WorkQueue {
  /** Whether it waits now: not when the queue is full or closed. */
  add(key: string): boolean
  /** Forgets what waits under a key. */
  drop(key: string): void
  /** Forgets all that waits; what runs goes on. */
  clear(): void
  /** Takes no more, and waits for what runs. */
  close(): Promise<void>
}

export interface WorkQueueOptions {
  /** resolves to whether it counts for the pace; may reject: then it counts, and is done again later */
  readonly work: (key: string) => Promise<boolean>
  readonly perSecond: number
  readonly onFailure?: (key: string, error: unknown) => void
  readonly clock?: () => number
  readonly timer?: Timer
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { work, perSecond, onFailure = () => {}, clock = Date.now } = options
  const { timer = setUnreferencedTimer } = options
  const waiting = new Set<string>()
  const running = new Map<string, Promise<void>>()
  const retries = new Map<string, { count: number; cancel: () => void }>()
  let startAt = 0
  let cancelPump: (() => void) | undefined
  let closed = false

  function pump(): void {
    cancelPump?.()
    cancelPump = undefined
    for (const key of waiting) {
      if (running.size >= WORKERS) return
      if (running.has(key)) continue
      const wait = startAt - clock()
      // Further ahead than it ever is: the clock was set back since.
      if (wait > MOST_AHEAD / perSecond) startAt = clock()
      else if (wait > 0) {
        cancelPump = timer(pump, wait)
        return
      }
      start(key)
    }
  }

  function start(key: string): void {
    waiting.delete(key)
    running.set(key, run(key))
  }

  async function run(key: string): Promise<void> {
    // Work that waits for nothing would keep reviews waiting.
    await new Promise((resolve) => setImmediate(resolve))
    try {
      const counts = await work(key)
      forgetRetry(key)
      if (counts) pace()
    } catch (error) {
      pace()
      fail(key, error)
    } finally {
      running.delete(key)
      pump()
    }
  }

  function pace(): void {
    startAt = Math.max(startAt, clock() - 1_000) + 1_000 / perSecond
  }

  function fail(key: string, error: unknown): void {
    onFailure(key, error)
    if (closed) return
    const count = (forgetRetry(key) ?? 0) + 1
    const wait = backoff(count, FIRST_RETRY, LAST_RETRY)
    retries.set(key, { count, cancel: timer(() => add(key), wait) })
  }

  function forgetRetry(key: string): number | undefined {
    const retry = retries.get(key)
    retry?.cancel()
    retries.delete(key)
    return retry?.count
  }

  function add(key: string): boolean {
    if (closed || (waiting.size >= SIZE && !waiting.has(key))) return false
    waiting.add(key)
    pump()
    return true
  }

  function clear(): void {
    for (const key of [...retries.keys()]) forgetRetry(key)
    waiting.clear()
    cancelPump?.()
  }

  return {
    add,
    drop(key) {
      waiting.delete(key)
      forgetRetry(key)
    },
    clear,
    async close() {
      closed = true
      clear()
      await Promise.all(running.values())
    },
  }
}
