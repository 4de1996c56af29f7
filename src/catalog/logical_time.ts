/**
 * The time of what the registry says now: later than what it said before, though that was read by
 * a process whose clock is ahead. Else it would count as older wherever both meet.
 *
 * @param at ms since the epoch, by the clock of this process
 * @param before the time of what was said before
 */
export function timeAfter(before: number, at: number): number {
  return before > at ? before + 1 : at
}
