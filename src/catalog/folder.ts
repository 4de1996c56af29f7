import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A file larger than this is none of ours: a repository of a million tags takes some 30 MB. */
const MAX_BYTES = 256 * 1024 * 1024
const FILE = /^[a-z0-9][a-z0-9._-]{0,79}-[0-9a-f]{32}\.json$/
const TEMPORARY = /^[a-z0-9][a-z0-9._-]{0,79}-[0-9a-f]{32}\.json\.[0-9a-f-]{36}\.tmp$/
/** A temporary file this old (ms) was left by a process that ended while it wrote. */
const ABANDONED = 10 * 60_000

/** The file of a repository: as much of its name as is readable, and a hash that tells it apart. */
export function fileName(name: string): string {
  const readable = name.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '_')
  const safe = readable.replace(/^[^a-z0-9]+/, '').slice(0, 80) || 'repository'
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32)
  return `${safe}-${hash}.json`
}

/** The files of the index in a folder; others that lie there are not looked at. */
export function listFolder(path: string): string[] {
  const entries = readdirSync(path, { withFileTypes: true })
  return entries.filter((entry) => entry.isFile() && FILE.test(entry.name)).map(({ name }) => name)
}

export function readSync(path: string, file: string): Buffer {
  checkSize(statSync(join(path, file)).size)
  return readFileSync(join(path, file))
}

export async function read(path: string, file: string): Promise<Buffer> {
  checkSize((await stat(join(path, file))).size)
  return readFile(join(path, file))
}

/** Takes a file that can't be used out of the way, for a person to look at. */
export function setAside(path: string, file: string): void {
  renameSync(join(path, file), join(path, `${file}.damaged`))
}

/** Writes a file whole or not at all, also when another process writes it at the same time. */
export async function write(path: string, file: string, pieces: string[]): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const temporary = join(path, `${file}.${randomUUID()}.tmp`)
  try {
    await writeFile(temporary, pieces, { mode: 0o600, flag: 'wx' })
    await rename(temporary, join(path, file))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
}

export async function remove(path: string, file: string): Promise<void> {
  await rm(join(path, file), { force: true })
}

/** Removes what processes left that ended while they wrote. */
export async function sweep(path: string, now: number): Promise<void> {
  const names = readdirSync(path).filter((name) => TEMPORARY.test(name))
  for (const name of names) {
    const { mtimeMs } = await stat(join(path, name))
    if (now - mtimeMs > ABANDONED) {
      await rm(join(path, name), { force: true })
    }
  }
}

function checkSize(size: number): void {
  if (size > MAX_BYTES) {
    throw new Error(`it has ${size} bytes, and the limit is ${MAX_BYTES}`)
  }
}
