/** Past so many entries, those that nobody uses are taken out. */
const FIRST_SWEEP = 1_000

/**
 * One value for each key, for as long as anybody uses it.
 *
 * @returns gives the value of a key, and makes it where there is none
 * @example
 *   const patterns = createWeakCache<Pattern>()
 *   patterns('^v', () => compile('^v'))
 */
export function createWeakCache<T extends object>(): (key: string, make: () => T) => T {
  const values = new Map<string, WeakRef<T>>()
  let sweepAt = FIRST_SWEEP
  return (key, make) => {
    const known = values.get(key)?.deref()
    if (known) return known
    const value = make()
    if (values.size >= sweepAt) {
      for (const [each, reference] of values) {
        if (reference.deref() === undefined) values.delete(each)
      }
      sweepAt = Math.max(FIRST_SWEEP, values.size * 2)
    }
    values.set(key, new WeakRef(value))
    return value
  }
}
