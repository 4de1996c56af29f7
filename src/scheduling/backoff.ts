/**
 * How long to wait after so many failures in a row, in ms: twice as long after each, up to a limit.
 *
 * @param first after the first one
 */
export function backoff(failures: number, first: number, longest: number): number {
  return Math.min(longest, first * 2 ** (failures - 1))
}
