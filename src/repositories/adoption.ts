import { setImmediate } from 'node:timers/promises'
import type { Catalog } from '../catalog/index.ts'
import { finish, type Work, workWhile } from '../pieces/index.ts'
import { inSlices } from '../scheduling/index.ts'
import { checksum } from './checksum.ts'

/** Adopting small ones yields to reviews after so many ms. */
const SLICE = 5
/** Base64 characters that may wait; past it, an index is adopted where it comes, to be rid of it. */
const MOST_WAITING = 16 * 1024 * 1024

/** Takes shared indexes into the catalog, a few ms at a time. */
export interface Adoption {
  /**
   * @param id of the object that it stands on: a newer index of the same one takes its place
   * @param then called when it is in the catalog, or left out, with the time of the scan that was
   *   known before; 0 if none was
   */
  take(id: string, key: string, index: string, then: (scannedBefore: number) => void): void
  drop(id: string): void
  /** Resolves when nothing waits. */
  idle(): Promise<void>
}

interface Waiting {
  readonly key: string
  readonly index: string
  readonly then: (scannedBefore: number) => void
}

/** @param onProblem told why an index is left out */
export function createAdoption(
  catalog: Catalog,
  clock: () => number,
  onProblem: (key: string, error: unknown) => void,
): Adoption {
  const waiting = new Map<string, Waiting>()
  const idlers = new Set<() => void>()
  let running: { readonly id: string; readonly each: Waiting } | undefined
  let size = 0
  let isScheduled = false

  function* adopt({ key, index, then }: Waiting): Work<void> {
    const scannedBefore = catalog.get(key)?.scannedAt ?? 0
    try {
      yield* catalog.adopting(key, Buffer.from(index, 'base64'), clock())
    } catch (error) {
      onProblem(key, error)
    }
    then(scannedBefore)
  }

  function drop(id: string): void {
    forget(id)
    if (running?.id === id) running = undefined
  }

  function forget(id: string): void {
    size -= waiting.get(id)?.index.length ?? 0
    waiting.delete(id)
  }

  async function run(): Promise<void> {
    let end = performance.now() + SLICE
    for (const [id, each] of waiting) {
      forget(id)
      running = { id, each }
      await inSlices(
        each.key,
        workWhile(() => running?.each === each, adopt(each)),
      )
      if (performance.now() < end) continue
      await setImmediate()
      end = performance.now() + SLICE
    }
    running = undefined
    isScheduled = false
    for (const resolve of idlers) resolve()
    idlers.clear()
  }

  return {
    take(id, key, index, then) {
      drop(id)
      const each = { key, index, then }
      if (size + index.length > MOST_WAITING) {
        finish(adopt(each))
        return
      }
      waiting.set(id, each)
      size += index.length
      if (isScheduled) return
      isScheduled = true
      void setImmediate().then(run)
    },
    drop,
    idle: () => (isScheduled ? new Promise((resolve) => idlers.add(resolve)) : Promise.resolve()),
  }
}

/** Tells one index from another. */
export function indexSum(index: string | undefined): string {
  return index === undefined ? '' : checksum(index)
}
