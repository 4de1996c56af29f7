import { setUnreferencedTimer, type Timer } from '../scheduling/index.ts'

/** Sleeping longer than this, in ms, would be wrong after the clock was set. */
const LONGEST_SLEEP = 60 * 60_000

/** Calls back at moments: once for each key, at the last moment that was set for it. */
export interface Expiry {
  /** @param at ms since the epoch; undefined: never */
  set(key: string, at: number | undefined): void
  close(): void
}

export function createExpiry(
  onDue: (key: string) => void,
  clock: () => number,
  timer: Timer = setUnreferencedTimer,
): Expiry {
  const moments = new Map<string, number>()
  let cancel = () => {}

  function arm(): void {
    cancel()
    if (moments.size === 0) return
    const next = Math.min(...moments.values())
    cancel = timer(run, Math.min(LONGEST_SLEEP, Math.max(0, next - clock())))
  }

  function run(): void {
    const now = clock()
    for (const [key, at] of [...moments]) {
      if (at > now) continue
      moments.delete(key)
      onDue(key)
    }
    arm()
  }

  return {
    set(key, at) {
      if (moments.get(key) === at) return
      if (at === undefined) moments.delete(key)
      else moments.set(key, at)
      arm()
    },
    close() {
      cancel()
      moments.clear()
    },
  }
}
