/**
 * What a server asks for by `Retry-After`: seconds or an HTTP date, as ms from now. RFC 9110 section
 * 10.2.3.
 *
 * @param field as it came
 * @param now ms since the epoch
 * @returns undefined when there is none that can be read
 */
export function retryAfter(field: string | string[] | undefined, now: number): number | undefined {
  if (typeof field !== 'string') return undefined
  if (/^\d{1,9}$/.test(field)) return Number(field) * 1000
  // section 5.6.7: an HTTP date always ends so
  const date = field.endsWith(' GMT') ? Date.parse(field) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
