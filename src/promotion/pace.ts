const MINUTE = 60_000

/**
 * When the next workload may be moved, in ms since the epoch. Spread evenly, so that no 60 seconds
 * hold more than `perMinute`, wherever they begin.
 *
 * @param last when the one before was moved; undefined if there was none
 * @param perMinute 0: as many as there are
 */
export function nextTurn(last: number | undefined, perMinute: number, now: number): number {
  if (perMinute === 0 || last === undefined) return now
  // One that lies ahead is of a clock that was set back since.
  return Math.max(now, Math.min(last, now) + Math.ceil(MINUTE / perMinute))
}
