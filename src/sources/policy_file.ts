import { readFile, stat } from 'node:fs/promises'
import { TagwardenError } from '../errors.ts'
import { LARGEST_FILE, type ParsedPolicies, parsePolicies } from '../policies/index.ts'
import { unreadable } from './survey.ts'

/** One file as it was last read. */
export interface PolicyFile {
  /** the survey's; the file is not read again while it is the same */
  readonly stamp: string
  readonly text: string
  readonly parsed: ParsedPolicies
  /** what is wrong with the file beside its text */
  readonly problem?: TagwardenError
}

/**
 * Reads a policy file again, if it changed. A file that lost all its text keeps the policies it
 * had, with a problem: an editor or a script may be about to write it.
 *
 * @returns undefined if the file went away
 */
export async function readPolicyFile(
  path: string,
  stamp: string,
  previous: PolicyFile | undefined,
): Promise<PolicyFile | undefined> {
  if (previous?.stamp === stamp) return previous
  const kept = { stamp, text: previous?.text ?? '', parsed: previous?.parsed ?? NOTHING }
  try {
    const { size } = await stat(path)
    if (size > LARGEST_FILE) return { ...kept, problem: tooLarge(path) }
    const text = decode(await readFile(path))
    if (text === undefined) return { ...kept, problem: notText(path) }
    if (text.trim() === '' && kept.parsed.resources.length > 0) {
      return { ...kept, problem: emptied(path) }
    }
    if (previous !== undefined && text === previous.text) return kept
    return { stamp, text, parsed: parsePolicies(text, path) }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    return { ...kept, problem: unreadable(path, cause) }
  }
}

const NOTHING: ParsedPolicies = { resources: [], problems: [], skipped: 0 }

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function tooLarge(file: string): TagwardenError {
  return problem(file, 'is larger than 4 MiB', 'Split it into several files')
}

function notText(file: string): TagwardenError {
  return problem(file, 'is not UTF-8 text', 'Save it as UTF-8, or move it out of the policies')
}

function emptied(file: string): TagwardenError {
  return problem(file, 'is empty now', 'Write its policies again, or delete the file')
}

function problem(file: string, message: string, remedy: string): TagwardenError {
  return new TagwardenError('ERR_INVALID_POLICY', message, { remedy, position: { file } })
}
