import { backoff } from '../scheduling/index.ts'

/** Somebody may well change a thing once or twice. */
const FREE = 3
const FIRST_WAIT = 1_000
const LONGEST_WAIT = 60_000
/** After this long in peace, all is forgotten. */
const FORGET = 600_000

/** How fast changes by others are undone: at once, then ever more slowly while they go on. */
export interface Patience {
  /** ms until the next one may be undone */
  wait(now: number): number
  noteRepair(now: number): void
  /** whether others keep changing what is undone */
  quarrelling(now: number): boolean
}

export function createPatience(): Patience {
  let repairs = 0
  let last = 0
  const forget = (now: number) => {
    if (now - last > FORGET) repairs = 0
  }
  return {
    wait(now) {
      forget(now)
      if (repairs < FREE) return 0
      const pause = backoff(repairs - FREE + 1, FIRST_WAIT, LONGEST_WAIT)
      // Never longer than that, though the clock was set back.
      return Math.max(0, Math.min(last, now) + pause - now)
    },
    noteRepair(now) {
      forget(now)
      repairs += 1
      last = now
    },
    quarrelling(now) {
      forget(now)
      return repairs > FREE
    },
  }
}
