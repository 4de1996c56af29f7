import { LRUCache } from 'lru-cache'

/** Which accesses a registry has refused for which repositories, for a while. */
export interface Refusals {
  note(accessId: string, name: string): void
  has(accessId: string, name: string): boolean
  /** The access is another one now. */
  forget(accessId: string): void
}

const MOST = 10_000
/** ms; then the registry may have thought better of it */
const REMEMBERED = 10 * 60_000

export function createRefusals(): Refusals {
  const refused = new LRUCache<string, true>({ max: MOST, ttl: REMEMBERED })
  const keyOf = (accessId: string, name: string) => `${accessId} ${name}`
  return {
    note: (accessId, name) => void refused.set(keyOf(accessId, name), true),
    has: (accessId, name) => refused.size > 0 && refused.has(keyOf(accessId, name)),
    forget(accessId) {
      for (const key of refused.keys()) if (key.startsWith(`${accessId} `)) refused.delete(key)
    },
  }
}
