import { randomUUID } from 'node:crypto'
import { chmod, chown, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { describeError, TagwardenError } from '../errors.ts'
import type { ReviewedFile } from './file_review.ts'
import { hashOf } from './file_text.ts'
import type { FixedDocument } from './outcome.ts'
import { applyEdits } from './scalar_edit.ts'

/**
 * Writes fixes into a file: whole or not at all, with its mode and owner, through links. The file is
 * read again, and left alone if it is no longer the one that was looked at.
 *
 * @returns what went wrong: ERR_WRITE
 */
export async function rewriteFile(
  path: string,
  { place, fixed, hash }: ReviewedFile,
): Promise<TagwardenError | undefined> {
  if (!fixed) return undefined
  if (hash === undefined) return noFile(place.file)
  try {
    const target = await realpath(path)
    const before = await readFile(target)
    if (hashOf(before) !== hash) return changedMeanwhile(place.file)
    const text = fixedText(before.toString('utf8'), fixed.documents)
    await replace(target, Buffer.from(text, 'utf8'))
    return undefined
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const message = `is not fixed: it cannot be written (${code ?? describeError(cause)})`
    const remedy = 'Let this user write the file and its folder'
    return new TagwardenError('ERR_WRITE', message, {
      position: { file: place.file },
      remedy,
      cause,
    })
  }
}

/** The whole text of a file with its fixes. */
export function fixedText(text: string, documents: readonly FixedDocument[]): string {
  const edits = documents.flatMap(({ offset, edits: own }) =>
    own.map(({ start, end, text: by }) => ({ start: start + offset, end: end + offset, text: by })),
  )
  return applyEdits(text, edits)
}

/** Writes a file whole or not at all; its mode and, where that is permitted, its owner stay. */
export async function replace(target: string, content: Buffer | string): Promise<void> {
  const temporary = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`)
  try {
    const known = await stat(target).catch(() => undefined)
    await writeFile(temporary, content, { flag: 'wx', flush: true })
    if (known) {
      await chown(temporary, known.uid, known.gid).catch(() => {})
      await chmod(temporary, known.mode & 0o7777)
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
}

/** The problem of a fix for what is no file, such as a pipe. */
export function noFile(file: string): TagwardenError {
  return new TagwardenError('ERR_WRITE', 'is not fixed: it is no file', {
    position: { file },
    remedy: 'Add --output manifests, which prints the result',
  })
}

function changedMeanwhile(file: string): TagwardenError {
  return new TagwardenError('ERR_WRITE', 'is not fixed: it has changed since it was read', {
    position: { file },
    remedy: 'Run the command again',
  })
}
