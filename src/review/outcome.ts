import type {
  Level,
  Location,
  ReportChange,
  ReportFinding,
  ReportProblem,
} from '../reports/types.ts'
import type { SourceDocument } from './document_stream.ts'
import type { TextEdit } from './scalar_edit.ts'

/** A finding whose fingerprint is not known yet: it counts the same ones of its file. */
export type UnmarkedFinding = Omit<ReportFinding, 'fingerprint'>

/** What one document gave. */
export interface DocumentOutcome {
  readonly objects: number
  readonly images: number
  /** one of them for each image that has findings: the worst of its findings */
  readonly levels: readonly Level[]
  readonly findings: readonly UnmarkedFinding[]
  readonly changes: readonly ReportChange[]
  readonly problems: readonly ReportProblem[]
  /** images, or whole documents, that a template has yet to fill */
  readonly templates: number
  /** namespaces of objects that are left out, since the webhook is not asked about them */
  readonly unasked: readonly string[]
  /** answers to AdmissionReviews, if they were asked for */
  readonly answers: readonly string[]
  /** lines of the document, from the first to the one after the last */
  readonly lines: readonly [first: number, end: number]
}

export const NOTHING_FOUND: Omit<DocumentOutcome, 'lines'> = Object.freeze({
  objects: 0,
  images: 0,
  levels: [],
  findings: [],
  changes: [],
  problems: [],
  templates: 0,
  unasked: [],
  answers: [],
})

/** Whether there is nothing to tell of a document but how much it holds. */
export function isQuiet({
  findings,
  changes,
  problems,
  templates,
  unasked,
  answers,
}: DocumentOutcome): boolean {
  const told = [findings, changes, problems, unasked, answers]
  return templates === 0 && told.every((each) => each.length === 0)
}

/** A document and what it becomes. */
export interface ReviewedDocument {
  readonly outcome: DocumentOutcome
  /** what the document would give once it is fixed; undefined: there is nothing to fix */
  readonly fixed: FixedDocument | undefined
  /** for people: what stays although it should be fixed, with its place and why */
  readonly unfixed: readonly string[]
}

export interface FixedDocument {
  /** UTF-16 units that stand before the document in its file */
  readonly offset: number
  readonly edits: readonly TextEdit[]
  /** how many images it changes */
  readonly count: number
  readonly text: string
  readonly outcome: DocumentOutcome
}

/** Line and column of offsets in a document. */
export function createLocator(
  { text, line: firstLine, column: before }: Pick<SourceDocument, 'text' | 'line' | 'column'>,
  file: string,
) {
  const starts = [0]
  for (const { 0: ending, index } of text.matchAll(/\r\n?|\n/g)) starts.push(index + ending.length)
  const mark = text.charCodeAt(0) === 0xfeff ? 1 : 0
  const at = (offset: number) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    const column = offset - (starts[low] ?? 0) + 1 + (low === 0 ? before - mark : 0)
    return { line: firstLine + low, column: Math.max(1, column) }
  }
  return {
    at,
    range(start: number, end: number): Location {
      const first = at(start)
      const last = at(end)
      return { file, ...first, endLine: last.line, endColumn: last.column }
    },
  }
}
