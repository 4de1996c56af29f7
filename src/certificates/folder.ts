import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { TagwardenError } from '../errors.ts'
import { FILE_NAMES, type FileName, type StoredCertificates } from './types.ts'

/** A lock this old was left by a process that ended in the middle. */
const STALE_LOCK = 15_000
const READ_LIMIT = 1024 * 1024

/** @throws TagwardenError ERR_CERTIFICATE when a file is there but cannot be read */
export async function readFolder(path: string): Promise<StoredCertificates> {
  const texts = FILE_NAMES.map(async (name) => [name, await readText(join(path, name))] as const)
  return Object.fromEntries(await Promise.all(texts)) as StoredCertificates
}

async function readText(file: string): Promise<string | undefined> {
  try {
    const { size } = await stat(file)
    if (size > READ_LIMIT) {
      throw new Error(`it has ${size} bytes`)
    }
    return await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined
    }
    throw failure(file, 'cannot be read', cause)
  }
}

/** Readers see the old text or the new one, never a part. Keys are for their owner only. */
export async function writeText(path: string, name: FileName, text: string): Promise<void> {
  const file = join(path, name)
  const draft = join(path, `.${name}.${randomBytes(6).toString('hex')}`)
  try {
    const handle = await open(draft, 'wx', name.endsWith('.key') ? 0o600 : 0o644)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {})
    throw failure(file, 'cannot be written', cause)
  }
}

/** Makes the folder, and lets one process at a time work in it. */
export async function withFolderLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = join(path, '.lock')
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    while (!(await take(lock))) {
      await delay(50)
    }
  } catch (cause) {
    throw failure(path, 'cannot be written', cause)
  }
  try {
    return await work()
  } finally {
    await rm(lock, { force: true })
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx')).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error
    }
  }
  const taken = await stat(lock).catch(() => undefined)
  if (taken && Date.now() - taken.mtimeMs > STALE_LOCK) {
    await rm(lock, { force: true })
  }
  return false
}

function failure(file: string, what: string, cause: unknown): TagwardenError {
  const { code, message } = cause as NodeJS.ErrnoException
  return new TagwardenError('ERR_CERTIFICATE', `it ${what} (${code ?? message})`, {
    position: { file },
    remedy: 'Give this process the right to it, or set certificates.path to another folder',
    cause,
  })
}
