import type { Timer } from './timer.ts'

/** Sleeping longer than this, in ms, would be wrong after the clock was set. */
const LONGEST_SLEEP = 60_000

/** Calls at times of the clock, however far away. */
export interface Alarm {
  /** Calls once at that time, instead of at the one that was set for this name before. */
  set(name: string, at: number, run: () => void): void
  clear(name: string): void
  close(): void
}

export function createAlarm(clock: () => number, timer: Timer): Alarm {
  const set = new Map<string, { readonly at: number; readonly run: () => void }>()
  let armedFor = Number.POSITIVE_INFINITY
  let cancel = () => {}

  function arm(at: number): void {
    if (at >= armedFor) return
    cancel()
    armedFor = at
    cancel = timer(ring, Math.min(LONGEST_SLEEP, Math.max(0, at - clock())))
  }

  function ring(): void {
    armedFor = Number.POSITIVE_INFINITY
    const now = clock()
    const due = [...set].filter(([, { at }]) => at <= now)
    for (const [name, { run }] of due) {
      set.delete(name)
      run()
    }
    let next = Number.POSITIVE_INFINITY
    for (const { at } of set.values()) next = Math.min(next, at)
    arm(next)
  }

  return {
    set(name, at, run) {
      set.set(name, { at, run })
      arm(at)
    },
    clear: (name) => void set.delete(name),
    close() {
      cancel()
      set.clear()
    },
  }
}
