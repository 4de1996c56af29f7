import { describeError, TagwardenError } from '../errors.ts'

/** Where a command writes; tests give their own. */
export interface Streams {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** The process's own streams. */
export const STREAMS: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
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
