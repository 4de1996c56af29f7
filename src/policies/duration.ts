const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * Reads a duration in Go's notation, and `d` for days of 24 hours: `0s`, `72h`, `7d`, `1h30m`.
 *
 * @returns ms, rounded; undefined if the text is none or too long for a number
 * @example
 *   parseDuration('1h30m') // 5_400_000
 */
export function parseDuration(text: string): number | undefined {
  if (text.length > 40 || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|s|m|h|d)/g)) {
    total += Number(amount) * UNITS[unit!]!
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined
}
