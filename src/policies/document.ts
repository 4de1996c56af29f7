import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import type { Position, TagwardenError } from '../errors.ts'
import { duplicateKeys } from './duplicate_key.ts'
import { type Flaw, formatPath, type Path, policyProblem, printable } from './flaw.ts'
import { offsetOf } from './offset.ts'

/** Longer files are refused. */
export const LARGEST_FILE = 4 * 1024 * 1024
/** A file with more problems than this shows the first ones. */
const MOST_PROBLEMS = 100
/** Aliases may make a value this many times larger than it is written. */
const MOST_ALIASES = 100

/** One object that a file holds, as plain data, and where its fields stand. */
export interface ObjectDocument {
  readonly value: unknown
  /** where the object begins */
  readonly position: Position
  /** line and column of a field, or of the nearest field above it that there is */
  locate(path: Path, key?: boolean): Position
}

/** The error for a flaw of a document. */
export function documentProblem(
  document: ObjectDocument,
  flaw: Flaw,
  cause?: unknown,
): TagwardenError {
  return policyProblem(flaw, document.locate(flaw.path, flaw.key), cause)
}

/**
 * Reads the YAML documents of a text; JSON is YAML too. Empty documents are left out. A document
 * that is wrong is a problem, and the others are still read.
 */
export function readDocuments(
  text: string,
  file: string,
): { documents: readonly ObjectDocument[]; problems: readonly TagwardenError[] } {
  const refusal = refuse(text)
  if (refusal) return { documents: [], problems: [policyProblem(refusal, { file })] }
  const { lines, parsed } = parse(text)
  const at = (offset: number, field?: string): Position => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col, ...(field === undefined ? {} : { field }) }
  }
  const documents: ObjectDocument[] = []
  const problems: TagwardenError[] = []
  for (const [index, document] of parsed.entries()) {
    if (problems.length >= MOST_PROBLEMS) break
    try {
      const wrong = syntaxProblems(document, at)
      problems.push(...wrong.slice(0, MOST_PROBLEMS))
      if (wrong.length > 0) continue
      const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES })
      const place = (path: Path) => at(offsetOf(document, path))
      documents.push(...objectsOf(value, locator(text, file, index), place))
    } catch (cause) {
      problems.push(policyProblem(failure(cause), at(document.range[0]), cause))
    }
  }
  return { documents, problems }
}

function syntaxProblems(
  document: Document.Parsed,
  at: (offset: number, field?: string) => Position,
): readonly TagwardenError[] {
  const tooDeep = document.errors.find(({ message }) => /call stack/.test(message))
  if (tooDeep) return [policyProblem(TOO_DEEP, at(tooDeep.pos[0]), tooDeep)]
  const flaws = new Map(
    document.errors.map((error) => [`${error.pos[0]} ${syntaxFlaw(error).message}`, error]),
  )
  return [
    ...[...flaws.values()]
      .slice(0, MOST_PROBLEMS)
      .map((error) => policyProblem(syntaxFlaw(error), at(error.pos[0]))),
    ...duplicateKeys(document)
      .slice(0, MOST_PROBLEMS)
      .map(({ offset, path, first }) => {
        const message = `is given twice, first in line ${at(first).line}`
        const flaw = { message, remedy: 'Keep one of the two' }
        return policyProblem(flaw, at(offset, formatPath(path)))
      }),
  ]
}

/** The object itself, or the items of a Kubernetes List. */
function objectsOf(
  value: unknown,
  locate: ObjectDocument['locate'],
  place: (path: Path) => Position,
): readonly ObjectDocument[] {
  if (value === null) return []
  const { kind, items } = value as { kind?: unknown; items?: unknown }
  const list = typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)
  if (!list) return [{ value, position: place([]), locate }]
  return items.map((item: unknown, index) => {
    const base = ['items', index]
    return {
      value: item,
      position: place(base),
      locate: (path, key) => locate([...base, ...path], key),
    }
  })
}

function refuse(text: string): Omit<Flaw, 'path'> | undefined {
  if (text.length > LARGEST_FILE) {
    return { message: 'is larger than 4 MiB', remedy: 'Split it into several files' }
  }
  if (text.includes('\0')) {
    return {
      message: 'holds a NUL character, so it is not YAML',
      remedy: 'Save it as UTF-8 text, or move it out of the policies',
    }
  }
  return undefined
}

function parse(text: string): { lines: LineCounter; parsed: readonly Document.Parsed[] } {
  const lines = new LineCounter()
  // uniqueKeys compares every key with every other one; duplicateKeys() does not.
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: true,
    merge: true,
    logLevel: 'error',
  })
  return { lines, parsed: 'empty' in parsed ? [] : parsed }
}

const SYNTAX_REMEDIES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'Indent with spaces, not with tabs',
  BAD_INDENT: 'Line the fields of one object up in one column',
  MISSING_CHAR: 'Close what was opened: a quote, a bracket or a brace',
  NON_STRING_KEY: 'Put the key in quotes',
}

function syntaxFlaw(error: { code: string; message: string }): Omit<Flaw, 'path'> {
  return {
    message: `is not YAML: ${printable(error.message.slice(0, 200))}`,
    remedy: SYNTAX_REMEDIES[error.code] ?? 'Correct the text at this place',
  }
}

const TOO_DEEP = { message: 'is nested too deeply', remedy: 'Write it with fewer levels' }

/** Why a document without errors of syntax has no value. */
function failure(cause: unknown): Omit<Flaw, 'path'> {
  if (cause instanceof RangeError) return TOO_DEEP
  const unresolved = /unresolved alias[^:]*: (\S{1,80})/i.exec(String(cause))
  if (unresolved) {
    const name = printable(unresolved[1] ?? '')
    const message = `names *${name}, but no &${name} stands before it`
    return { message, remedy: 'Correct the name, or write the value out' }
  }
  return {
    message: 'repeats itself too often by its aliases',
    remedy: 'Write the values out instead of using * aliases',
  }
}

/**
 * Finds places by reading the text again, for the few documents that have a problem: to keep all
 * syntax trees would cost many times the memory of the texts.
 */
function locator(text: string, file: string, index: number): ObjectDocument['locate'] {
  let tree: ReturnType<typeof parse> | undefined
  return (path, key) => {
    tree ??= parse(text)
    const document = tree.parsed[index]
    const offset = document === undefined ? 0 : offsetOf(document, path, key)
    const { line, col } = tree.lines.linePos(offset)
    return { file, line, column: col, ...(path.length === 0 ? {} : { field: formatPath(path) }) }
  }
}
