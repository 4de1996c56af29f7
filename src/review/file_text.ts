import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { TagwardenError } from '../errors.ts'
import { createDocumentStream, type SourceDocument } from './document_stream.ts'

/** A document may have this many UTF-16 units; a file, as many documents as there are. */
const LONGEST_DOCUMENT = 64 * 1024 * 1024
/** Files up to this size, in bytes, are read at once. */
const SMALL = 4 * 1024 * 1024

/** What Node makes of bytes in a name that are no UTF-8. */
export const UNKNOWN = '\ufffd'

/** A text that is read while it is looked at. */
export interface FileText {
  /** @throws TagwardenError ERR_INVALID_MANIFEST for what cannot be read on */
  documents(): AsyncIterable<readonly SourceDocument[]>
  /** SHA-256 of the bytes; known after the last document, and of a file only */
  readonly hash: () => string | undefined
}

/** @param hashed whether the hash is wanted */
export function openFile(path: string, hashed: boolean): FileText {
  let hash: string | undefined
  return {
    hash: () => hash,
    async *documents() {
      const size = sizeOf(path)
      if (size === undefined || size > SMALL) {
        const stream = createReadStream(path, { highWaterMark: SMALL / 4 })
        const text = streamText(stream, path, hashed && size !== undefined)
        yield* text.documents()
        hash = text.hash()
        return
      }
      const bytes = read(path)
      if (hashed) hash = hashOf(bytes)
      if (!isUtf8(bytes)) throw notText(path)
      yield documentsOf(bytes.toString('utf8'), path)
    },
  }
}

/** The same for a stream, such as standard input. */
export function streamText(stream: Readable, name: string, hashed: boolean): FileText {
  const digest = hashed ? createHash('sha256') : undefined
  let hash: string | undefined
  return {
    hash: () => hash,
    async *documents() {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      const cutter = createDocumentStream()
      const decode = (bytes?: Buffer) => {
        try {
          const text = bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()
          if (!text.includes('\0')) return text
        } catch {}
        throw notText(name)
      }
      try {
        for await (const bytes of stream) {
          digest?.update(bytes)
          yield cutter.push(decode(bytes))
          if (cutter.waiting > LONGEST_DOCUMENT) throw tooLong(name)
        }
      } catch (error) {
        throw error instanceof TagwardenError ? error : unreadable(name, error)
      }
      yield [...cutter.push(decode()), ...cutter.end()]
      hash = digest?.digest('hex')
    },
  }
}

/**
 * The same, but nothing at all is a problem: what a failed program writes is no manifest that is all
 * right.
 */
export function notEmpty(text: FileText): FileText {
  return {
    ...text,
    async *documents() {
      let isEmpty = true
      for await (const documents of text.documents()) {
        isEmpty &&= documents.every((each) => each.text.trim() === '')
        yield documents
      }
      const remedy = 'A program that was to write to it may have failed: set -o pipefail tells'
      if (isEmpty) throw invalid('-', 'standard input is empty', remedy)
    },
  }
}

export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The problem of a file that cannot be read. */
export function unreadable(file: string, cause: unknown): TagwardenError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException
  const gone = code === 'ENOENT'
  if (gone && file.includes(UNKNOWN)) {
    return invalid(
      file,
      'has a name that is not UTF-8',
      'Rename it, or leave it out with --exclude',
    )
  }
  return invalid(
    file,
    gone ? 'there is no such file or folder' : `cannot be read (${code})`,
    gone ? 'Check the path' : 'Let this user read it, or leave it out with --exclude',
    cause,
  )
}

/** undefined: a pipe or a terminal, which gives what it has once and has no size. */
function sizeOf(path: string): number | undefined {
  try {
    const stats = statSync(path)
    if (stats.isFile()) return stats.size
    if (stats.isFIFO() || stats.isCharacterDevice()) return undefined
  } catch (cause) {
    throw unreadable(path, cause)
  }
  throw invalid(path, 'is no regular file', 'Give files and folders, or - for standard input')
}

function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function documentsOf(text: string, path: string): readonly SourceDocument[] {
  if (text.includes('\0')) throw notText(path)
  const cutter = createDocumentStream()
  return [...cutter.push(text), ...cutter.end()]
}

function notText(file: string): TagwardenError {
  return invalid(file, 'is not UTF-8 text', 'Save it as UTF-8, or leave it out with --exclude')
}

function tooLong(file: string): TagwardenError {
  const remedy = 'Write --- between objects, or leave it out with --exclude'
  return invalid(file, `holds a document of more than ${LONGEST_DOCUMENT >> 20} MiB`, remedy)
}

function invalid(file: string, message: string, remedy: string, cause?: unknown): TagwardenError {
  return new TagwardenError('ERR_INVALID_MANIFEST', message, { remedy, position: { file }, cause })
}
