import { type FSWatcher, watch } from 'node:fs'
import { readFolder, withFolderLock, writeText } from './folder.ts'
import type { CertificateStore } from './types.ts'

/** Several files change together. */
const SETTLE = 100

/**
 * A folder of `ca.crt`, `ca.key`, `tls.crt` and `tls.key`; made when something has to be written.
 *
 * @example
 *   const certificates = await openCertificates({ store: folderStore('./certs'), names })
 */
export function folderStore(path: string): CertificateStore {
  const read = async () => {
    const files = await readFolder(path)
    return { files, version: JSON.stringify(files), trusted: undefined }
  }
  return {
    place: path,
    restores: false,
    read,
    write: (changes, seen) =>
      withFolderLock(path, async () => {
        if ((await read()).version !== seen.version) {
          return 'conflict'
        }
        for (const [name, text] of changes) {
          await writeText(path, name, text)
        }
        return 'written'
      }),
    watch: (onChange) => watchFolder(path, onChange),
  }
}

/** Where the file system gives no notices, the interval alone has to do. */
function watchFolder(path: string, onChange: () => void): () => void {
  let settling: NodeJS.Timeout | undefined
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(path, { persistent: false }, () => {
      settling ??= setTimeout(() => {
        settling = undefined
        onChange()
      }, SETTLE).unref()
    })
    watcher.on('error', () => watcher?.close())
  } catch {}
  return () => {
    clearTimeout(settling)
    watcher?.close()
  }
}
