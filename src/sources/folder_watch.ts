import { type FSWatcher, watch } from 'node:fs'

/** Folders past this number are seen by the regular survey only. */
const MOST_WATCHED = 1_000

/** Watches a changing list of folders. */
export interface FolderWatch {
  /**
   * Watches exactly these folders from now on.
   *
   * @param folders path and a stamp that changes when the folder is made anew
   * @returns whether one is watched that was not before
   */
  follow(folders: ReadonlyMap<string, string>): boolean
  close(): void
}

/**
 * Calls back when something in a folder changes; what, is not said. It may stay silent (network
 * file systems, too many watches), so look regularly too.
 */
export function watchFolders(onEvent: () => void): FolderWatch {
  const watchers = new Map<string, FSWatcher>()

  function open(key: string, path: string): void {
    try {
      const watcher = watch(path, { persistent: false }, onEvent)
      watcher.on('error', () => close(key))
      watchers.set(key, watcher)
    } catch {
      // the regular survey sees it
    }
  }

  function close(key: string): void {
    watchers.get(key)?.close()
    watchers.delete(key)
  }

  return {
    follow: (folders) => {
      const wanted = new Map(
        [...folders].slice(0, MOST_WATCHED).map(([path, stamp]) => [`${stamp} ${path}`, path]),
      )
      for (const key of watchers.keys()) if (!wanted.has(key)) close(key)
      let added = false
      for (const [key, path] of wanted) {
        if (watchers.has(key)) continue
        open(key, path)
        added ||= watchers.has(key)
      }
      return added
    },
    close: () => {
      for (const key of watchers.keys()) close(key)
    },
  }
}
