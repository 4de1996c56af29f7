const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g
const WHOLE = /^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/

/**
 * Reads a duration in Go's notation, as Kubernetes writes them: `10m`, `1h30m`, `1.5s`, `0`.
 * A negative one is no duration here.
 *
 * @returns ms, or undefined when it is not a duration
 *
 * @example
 *   parseDuration('1m30s') // 90000
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') {
    return 0
  }
  // Nobody writes a longer one; the limit keeps hostile query strings cheap.
  if (text.length > 40 || !WHOLE.test(text)) {
    return undefined
  }
  let total = 0
  for (const [, amount, unit] of text.matchAll(PART)) {
    total += Number(amount) * (UNITS[unit as string] as number)
  }
  return total
}
