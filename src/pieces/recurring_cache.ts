import { hashText } from './text_hash.ts'

/** Values of texts that are asked for again and again. */
export interface RecurringCache<T> {
  get(text: string): T | undefined
  /** Keeps the value if the text was offered before. */
  offer(text: string, value: T): void
}

/**
 * Makes a cache in which a text that comes once leaves nothing: thousands of those a second would
 * each outlive the next minor collections, and fill the heap until the next major one.
 *
 * @param most values; past it, all are forgotten
 */
export function createRecurringCache<T>(most: number): RecurringCache<T> {
  let values = new Map<string, T>()
  /** hashes of texts that were offered, each in the place that it leads to */
  let offered: Uint32Array | undefined
  return {
    get: (text) => values.get(text),
    offer(text, value) {
      offered ??= new Uint32Array(most)
      const hash = hashText(text, 1)
      const place = hash % most
      if (offered[place] !== hash) {
        offered[place] = hash
        return
      }
      // Not clear(): it ties the new table to the old one, and the collector keeps both for long.
      if (values.size >= most) values = new Map()
      values.set(text, value)
    },
  }
}
