import type { BigIntStats, Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TagwardenError } from '../errors.ts'
import { compareTexts } from '../pieces/index.ts'

/** More files than this are refused. */
const MOST_FILES = 50_000

/** What files and folders there are at one moment. */
export interface Survey {
  /** every policy file in byte order of its path, and a stamp that changes with its content */
  readonly files: ReadonlyMap<string, string>
  /** every folder that was looked into, and its stamp, which changes when it is made anew */
  readonly folders: ReadonlyMap<string, string>
  /** paths that are not there or cannot be read */
  readonly problems: readonly TagwardenError[]
}

/**
 * Looks for policy files: each given file, and in each given folder and those below it every
 * `.yaml`, `.yml` and `.json`. Names that begin with a dot are passed over, so a mounted
 * ConfigMap is seen once: through its links, and not through `..data`.
 */
export async function surveyPaths(paths: readonly string[]): Promise<Survey> {
  const files = new Map<string, string>()
  const folders = new Map<string, string>()
  const problems: TagwardenError[] = []
  const visited = new Set<string>()

  async function visit(path: string, given: boolean): Promise<void> {
    try {
      const stats = await stat(path, { bigint: true })
      if (!stats.isDirectory()) {
        if (stats.isFile() || given) files.set(path, fileStamp(stats))
        return
      }
      const identity = `${stats.dev}:${stats.ino}`
      if (visited.has(identity)) return // a link that leads back up
      visited.add(identity)
      folders.set(path, identity)
      const entries = await readdir(path, { withFileTypes: true })
      await Promise.all(entries.filter(isWanted).map(({ name }) => visit(join(path, name), false)))
    } catch (cause) {
      // what goes away while we look is gone; what was asked for must be there
      if (given || (cause as NodeJS.ErrnoException).code !== 'ENOENT')
        problems.push(unreadable(path, cause))
    }
  }

  for (const path of paths) await visit(path, true)
  if (files.size > MOST_FILES) {
    const message = `${files.size} policy files are more than the ${MOST_FILES} that are read`
    const remedy = 'Put several policies into one file, separated by ---'
    problems.push(new TagwardenError('ERR_INVALID_CONFIG', message, { remedy }))
    files.clear()
  }
  const sorted = [...files].sort(([a], [b]) => compareTexts(a, b))
  return { files: new Map(sorted), folders, problems }
}

function isWanted(entry: Dirent): boolean {
  if (entry.name.startsWith('.')) return false
  return /\.(ya?ml|json)$/i.test(entry.name) || entry.isDirectory() || entry.isSymbolicLink()
}

function fileStamp({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs, ctimeNs].join(':')
}

/** The problem of a path that cannot be read. */
export function unreadable(path: string, cause: unknown): TagwardenError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
  const gone = code === 'ENOENT'
  return new TagwardenError(
    'ERR_INVALID_CONFIG',
    gone ? 'there is no such file or folder' : `cannot be read (${code})`,
    {
      remedy: gone
        ? 'Make it, or change policies in the configuration'
        : 'Let the user that Tagwarden runs as read it',
      position: { file: path },
      cause,
    },
  )
}
