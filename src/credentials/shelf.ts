import { type HeldSecret, readSecret, type Secret } from './held_secret.ts'

/** The Secrets of one namespace that are held, and which watches tell of each. */
export interface Shelf {
  get(name: string): HeldSecret | undefined
  put(watch: string, secret: Secret): void
  /** The watch does not see it any more; it is dropped when no other one does. */
  remove(watch: string, name: string): void
  removeAll(watch: string): void
}

/** Secrets of one namespace may have so many bytes together: who fills it harms nobody else. */
const MOST_BYTES = 8 * 1024 * 1024

export function createShelf(
  namespace: string,
  told: {
    /** it has come, has changed or is gone */
    readonly changed: (name: string) => void
    readonly problem: (name: string, message: string) => void
  },
): Shelf {
  const held = new Map<string, { secret: HeldSecret; readonly watches: Set<string> }>()
  let size = 0

  function remove(watch: string, name: string): void {
    const entry = held.get(name)
    if (!entry?.watches.delete(watch) || entry.watches.size > 0) return
    held.delete(name)
    size -= entry.secret.size
    told.changed(name)
  }

  function take(name: string, secret: Secret): HeldSecret {
    const before = held.get(name)?.secret.size ?? 0
    const read = readSecret(secret, `Secret ${namespace}/${name}`)
    if (size - before + read.size <= MOST_BYTES) return read
    const problem = `Secret ${namespace}/${name} is not held: the Secrets of ${namespace} that may be read have more than ${MOST_BYTES} bytes`
    return Object.freeze({ version: read.version, size: 0, problems: Object.freeze([problem]) })
  }

  return {
    get: (name) => held.get(name)?.secret,
    put(watch, object) {
      const { name } = object.metadata
      const before = held.get(name)
      const secret = take(name, object)
      if (before?.secret.version === secret.version) {
        before.watches.add(watch)
        return
      }
      size += secret.size - (before?.secret.size ?? 0)
      held.set(name, { secret, watches: (before?.watches ?? new Set()).add(watch) })
      for (const problem of secret.problems) told.problem(name, problem)
      told.changed(name)
    },
    remove,
    removeAll(watch) {
      for (const name of [...held.keys()]) remove(watch, name)
    },
  }
}
