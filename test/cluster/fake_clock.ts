import { setImmediate as turn } from 'node:timers/promises'
import type { ClusterClock } from '../../src/cluster/index.ts'

/** A clock that only moves when told to; the time of day may also jump on its own. */
export class FakeClock implements ClusterClock {
  #elapsed = 0
  #now = Date.UTC(2026, 10, 24, 12)
  readonly #sleepers = new Set<{ at: number; wake: () => void }>()

  now = (): number => this.#now
  elapsed = (): number => this.#elapsed

  sleep = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const sleeper = { at: this.#elapsed + ms, wake: resolve }
      const abort = () => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      this.#sleepers.add(sleeper)
    })

  /** Somebody sets the clock. */
  jump(ms: number): void {
    this.#now += ms
  }

  /** Lets time pass, sleepers wake at their time, and what they start go on. */
  async pass(ms: number): Promise<void> {
    const end = this.#elapsed + ms
    for (;;) {
      await settle()
      const [next] = [...this.#sleepers].sort((a, b) => a.at - b.at)
      if (next === undefined || next.at > end) break
      this.#forward(Math.max(0, next.at - this.#elapsed))
      this.#sleepers.delete(next)
      next.wake()
    }
    this.#forward(end - this.#elapsed)
    await settle()
  }

  #forward(ms: number): void {
    this.#elapsed += ms
    this.#now += ms
  }
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await turn()
}
