import { describeError, TagwardenError } from '../errors.ts'
import { finish } from '../pieces/index.ts'
import { inSlices } from '../scheduling/index.ts'
import { decoding, encoding } from './file_format.ts'
import { fileName, listFolder, read, readSync, remove, setAside, sweep, write } from './folder.ts'
import type { Snapshot } from './snapshot.ts'
import { createWriteQueue } from './write_queue.ts'

/** A write that failed is tried again this much later, in ms, and when the index is closed. */
const RETRY_DELAY = 60_000

/** The index on disk: a file for each repository. Trouble with the disk is told, never thrown. */
export interface Store {
  /** Reads a repository that was not read yet; undefined when it is not there, or damaged. */
  take(key: string): Snapshot | undefined
  /** Reads all that was not read yet, a file at a time, and lets others work in between. */
  takeAll(adopt: (snapshot: Snapshot) => void): Promise<void>
  /** Writes a repository within `delay` ms; removes its file when there is no snapshot then. */
  save(key: string, delay: number): void
  flush(): Promise<void>
  close(): Promise<void>
}

/**
 * @param current the snapshot to write when its time comes
 * @param readOnly nothing is written, and what is damaged stays where it is
 */
export function openStore(
  path: string,
  current: (key: string) => Snapshot | undefined,
  onProblem: (problem: TagwardenError) => void,
  readOnly = false,
): Store {
  const unread = new Set<string>()
  let failing = false
  const queue = createWriteQueue(async (key) => {
    const snapshot = current(key)
    try {
      if (!snapshot) await remove(path, fileName(key))
      else await write(path, fileName(key), await inSlices(key, encoding(snapshot)))
      failing = false
    } catch (error) {
      // A full disk would fail for every repository at every scan: one word is enough.
      if (!failing) onProblem(unwritable(path, error))
      failing = true
      queue.add(key, RETRY_DELAY)
    }
  })

  try {
    for (const file of listFolder(path)) unread.add(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onProblem(unreadable(path, error))
  }

  function checked(file: string, snapshot: Snapshot): Snapshot {
    if (fileName(snapshot.key) === file) return snapshot
    throw new Error('it belongs to another repository')
  }

  function open(file: string): Snapshot | undefined {
    unread.delete(file)
    try {
      return checked(file, finish(decoding(readSync(path, file))))
    } catch (error) {
      reportDamage(file, error)
      return undefined
    }
  }

  /** Whoever needs it meanwhile reads it, and what is written meanwhile counts. */
  async function openInSlices(file: string): Promise<Snapshot | undefined> {
    try {
      const content = await read(path, file)
      if (!unread.has(file)) return undefined
      const snapshot = checked(file, await inSlices(path, decoding(content)))
      return unread.delete(file) ? snapshot : undefined
    } catch (error) {
      if (unread.delete(file)) reportDamage(file, error)
      return undefined
    }
  }

  function reportDamage(file: string, error: unknown): void {
    if ((error as NodeJS.ErrnoException).code !== undefined) {
      onProblem(unreadable(`${path}/${file}`, error))
      return
    }
    onProblem(damaged(`${path}/${file}`, error, readOnly))
    if (readOnly) return
    try {
      setAside(path, file)
    } catch {
      // It stays where it is until the next scan overwrites it.
    }
  }

  return {
    take(key) {
      const file = unread.size > 0 ? fileName(key) : ''
      return unread.has(file) ? open(file) : undefined
    },
    async takeAll(adopt) {
      for (const file of [...unread]) {
        if (!unread.has(file)) continue
        const snapshot = await openInSlices(file)
        if (snapshot) adopt(snapshot)
      }
      if (!readOnly) await sweep(path, Date.now()).catch(() => {})
    },
    save(key, delay) {
      if (unread.size > 0) unread.delete(fileName(key))
      if (!readOnly) queue.add(key, delay)
    },
    flush: queue.flush,
    close: queue.close,
  }
}

function damaged(file: string, cause: unknown, readOnly: boolean): TagwardenError {
  return new TagwardenError('ERR_CATALOG', `${file} is left out: ${describeError(cause)}`, {
    cause,
    remedy: readOnly
      ? 'Bring another copy of the index along'
      : `The next scan builds it anew; ${file}.damaged can be deleted`,
  })
}

function unreadable(path: string, cause: unknown): TagwardenError {
  return new TagwardenError('ERR_CATALOG', `${path} cannot be read: ${describeError(cause)}`, {
    cause,
    remedy:
      'Let Tagwarden read and write there, or set catalog.path; until then each start begins with an empty index',
  })
}

function unwritable(path: string, cause: unknown): TagwardenError {
  return new TagwardenError('ERR_CATALOG', `${path} cannot be written: ${describeError(cause)}`, {
    cause,
    remedy:
      'Make room there or let Tagwarden write there; until then the index is kept in memory only',
  })
}
