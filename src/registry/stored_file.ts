import { readFile, stat } from 'node:fs/promises'

/** Larger files are no credentials and no certificates. */
const LARGEST_FILE = 4 * 1024 * 1024

/**
 * A file that is parsed once and again whenever it has changed on disk.
 *
 * @param parse called with the text; what it throws, and any failure to read, goes to the caller
 */
export function storedFile<T>(path: string, parse: (text: string) => T): () => Promise<T> {
  let held: { readonly version: string; readonly value: Promise<T> } | undefined
  return async () => {
    const { mtimeMs, size, ino } = await stat(path)
    const version = `${mtimeMs} ${size} ${ino}`
    if (held?.version !== version) {
      if (size > LARGEST_FILE) throw new RangeError('the file is larger than 4 MiB')
      const value = readFile(path, 'utf8').then(parse)
      held = { version, value }
      value.catch(() => {
        held = undefined
      })
    }
    return held.value
  }
}

/** `ENOENT` and the like, for messages; never what the file holds. */
export function fileFailure(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return code ?? (error instanceof RangeError ? error.message : 'unknown cause')
}
