import { fstatSync, writeSync } from 'node:fs'
import { describeError, TagwardenError } from '../errors.ts'

/** Where a command writes; tests give their own. */
export interface Streams {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** The process's own streams. What nobody reads any more, as behind `| head`, is not written. */
export const STREAMS: Streams = {
  out: writeOut,
  err: (text) => void (process.stderr.writable && process.stderr.write(text)),
}

const closed = new AbortController()

/** Nothing that is written to standard output arrives any more. */
export const outputClosed: AbortSignal = closed.signal

/**
 * Sees to it that a stream that takes nothing more ends no command halfway. Where the reader has gone,
 * as with `| head`, nothing is said of it; all else, such as a full disk, is told, and the exit code
 * is 2.
 */
export function guardStreams(): void {
  process.stderr.on('error', () => {})
  process.stdout.on('error', outputFailed)
}

function outputFailed(cause: NodeJS.ErrnoException): void {
  if (closed.signal.aborted) return
  closed.abort()
  if (cause.code === 'EPIPE') return
  const { code = 'unknown error' } = cause
  const remedy = 'Check the disk, or what standard output leads to'
  const message = `standard output cannot be written (${code})`
  const failure = new TagwardenError('ERR_WRITE', message, { remedy, cause })
  process.on('exit', () => {
    process.exitCode = failure.exitCode
  })
  reportFailure(failure, STREAMS)
}

const STDOUT = 1
let isFile: boolean | undefined

/** Node's own stream takes a part of a text, where the disk had no room for more, for the whole. */
function writeOut(text: string): void {
  if (closed.signal.aborted || !process.stdout.writable) return
  isFile ??= fstatSync(STDOUT).isFile()
  if (!isFile) return void process.stdout.write(text)
  try {
    const bytes = Buffer.from(text, 'utf8')
    for (let at = 0; at < bytes.length; ) at += writeSync(STDOUT, bytes, at)
  } catch (cause) {
    outputFailed(cause as NodeJS.ErrnoException)
  }
}

/** Whether a stream is a terminal that knows more than text: colours, and how to take a line back. */
export function isScreen({ isTTY }: { readonly isTTY?: boolean }): boolean {
  return isTTY === true && process.env['TERM'] !== 'dumb'
}

/** Whether what is written to a stream may be coloured: https://no-color.org */
export function isColourful(stream: { readonly isTTY?: boolean }): boolean {
  return isScreen(stream) && !process.env['NO_COLOR']
}

/**
 * Says what went wrong, one line for each cause, the code first.
 *
 * @returns the exit code
 */
export function reportFailure(error: unknown, streams: Streams): number {
  for (const each of error instanceof AggregateError ? error.errors : [error]) {
    const code = each instanceof TagwardenError ? `${each.code} ` : ''
    streams.err(`tagwarden: ${code}${describeError(each)}\n`)
  }
  const first = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof TagwardenError ? first.exitCode : 2
}
