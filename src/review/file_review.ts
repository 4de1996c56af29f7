import { describeError, TagwardenError } from '../errors.ts'
import type { ReportFinding, ReportProblem } from '../reports/types.ts'
import { unlessAborted } from '../scheduling/index.ts'
import type { DocumentPlace, DocumentReviewer } from './document_review.ts'
import type { SourceDocument } from './document_stream.ts'
import type { FileText } from './file_text.ts'
import { fingerprinted } from './fingerprints.ts'
import {
  type DocumentOutcome,
  type FixedDocument,
  isQuiet,
  NOTHING_FOUND,
  type ReviewedDocument,
  type UnmarkedFinding,
} from './outcome.ts'

/** What one file gave. */
export interface FileOutcome {
  readonly findings: readonly ReportFinding[]
  /** what there is to tell of; all others together count as one */
  readonly documents: readonly DocumentOutcome[]
  readonly problems: readonly ReportProblem[]
}

/** What one file gave, as it is and as it would be. */
export interface ReviewedFile {
  readonly place: DocumentPlace
  readonly outcome: FileOutcome
  /** undefined: nothing to fix */
  readonly fixed:
    | { readonly outcome: FileOutcome; readonly documents: readonly FixedDocument[] }
    | undefined
  /** for people: what stays although it should be fixed, with its place and why */
  readonly unfixed: readonly string[]
  /** of the bytes that were read, where it is known */
  readonly hash: string | undefined
}

export interface FileReviewOptions {
  readonly review: DocumentReviewer
  /** which documents count, by their lines; undefined: all */
  readonly changed: ((lines: readonly [first: number, end: number]) => boolean) | undefined
  /** told of the text of each document as it becomes, in their order */
  readonly onText?: ((text: string) => void) | undefined
  /** told of each document that is done, and how much is found in it */
  readonly onDocument?: ((text: string, findings: number) => void) | undefined
  readonly signal: AbortSignal
}

/** So many documents of one file wait for facts at once. */
const AT_ONCE = 32
/** Judges the documents of one file. Never rejects: what cannot be read is told. */
export async function reviewFile(
  place: DocumentPlace,
  text: FileText,
  { review, changed, onText, onDocument, signal }: FileReviewOptions,
): Promise<ReviewedFile> {
  const documents: ReviewedDocument[] = []
  let isCounted = true
  const problems: ReportProblem[] = []
  const unfixed: string[] = []
  const running: { text: string; reviewed: Promise<ReviewedDocument>; done: boolean }[] = []
  let quiet: DocumentOutcome = { ...NOTHING_FOUND, lines: [0, 0] }

  function begin(document: SourceDocument): void {
    // Git does not take it for the end of a line, so its lines are not ours
    if (changed && /\r(?!\n)/.test(document.text)) isCounted = false
    const reviewed = review(document, place).catch((error) => failed(error, place.file, document))
    const entry = { text: document.text, reviewed, done: false }
    running.push(entry)
    void reviewed.then(() => {
      entry.done = true
    })
  }

  async function settle(): Promise<void> {
    const next = running.shift()
    if (!next) return
    const reviewed = await unlessAborted(next.reviewed, signal).catch(() => undefined)
    if (!reviewed) return
    onText?.(reviewed.fixed?.text ?? next.text)
    const { outcome, fixed } = reviewed
    onDocument?.(next.text, outcome.findings.length)
    unfixed.push(...reviewed.unfixed)
    if (fixed || !isQuiet(outcome)) documents.push(reviewed)
    else quiet = added(quiet, outcome)
  }

  try {
    for await (const some of text.documents()) {
      for (const document of some) {
        if (signal.aborted) break
        begin(document)
        // Where no fact is lacking, a document is done by now, and none has to be kept.
        await new Promise((resolve) => setImmediate(resolve))
        while (running[0]?.done || running.length >= AT_ONCE) await settle()
      }
      if (signal.aborted) break
    }
  } catch (error) {
    if (!(error instanceof TagwardenError)) throw error
    const message = error.remedy ? `${error.message}. ${error.remedy}` : error.message
    const nowhere = { line: undefined, column: undefined }
    problems.push({ code: error.code, place: place.file, ...nowhere, message })
  }
  while (running.length > 0) await settle()

  const isNew = ({ lines }: DocumentOutcome) => !changed || !isCounted || changed(lines)
  const outcomeOf = (each: readonly DocumentOutcome[]): FileOutcome => {
    const counts = each.map((one) => (isNew(one) ? one : withoutNews(one)))
    const all = fingerprinted(
      place.file,
      each.flatMap(({ findings }) => findings),
    )
    const kept = new Set(counts.flatMap(({ findings }) => findings).map((one) => keyOf(one)))
    const findings = (changed ? all.filter((one) => kept.has(keyOf(one))) : all).sort(byPlace)
    return { findings, documents: [...counts, quiet], problems }
  }
  const before = documents.map(({ outcome }) => outcome)
  const isFixed = ({ outcome, fixed }: ReviewedDocument) =>
    fixed && isNew(outcome) ? fixed : undefined
  const fixes = documents.flatMap((each) => isFixed(each) ?? [])
  const after = documents.map((each) => isFixed(each)?.outcome ?? each.outcome)
  return {
    place,
    outcome: outcomeOf(before),
    fixed: fixes.length > 0 ? { outcome: outcomeOf(after), documents: fixes } : undefined,
    unfixed,
    hash: text.hash(),
  }
}

/** A fault of ours costs one document, not the others. */
function failed(error: unknown, file: string, { line }: SourceDocument): ReviewedDocument {
  const message = `cannot be judged: ${describeError(error)}`
  const wrong = { code: 'ERR_INVALID_MANIFEST' as const, place: file, line, column: 1, message }
  return {
    outcome: { ...NOTHING_FOUND, problems: [wrong], lines: [line, line] },
    fixed: undefined,
    unfixed: [],
  }
}

function added(sum: DocumentOutcome, { objects, images }: DocumentOutcome): DocumentOutcome {
  return { ...sum, objects: sum.objects + objects, images: sum.images + images }
}

function keyOf({
  location,
  pointer,
  reason,
  policy,
}: Pick<ReportFinding, 'location' | 'pointer' | 'reason' | 'policy'>) {
  return JSON.stringify([location, pointer, reason, policy])
}

function byPlace(a: UnmarkedFinding, b: UnmarkedFinding): number {
  const [one, other] = [a.location, b.location]
  return one && other ? one.line - other.line || one.column - other.column : 0
}

/** A document that was there before the changes: it is read, and nothing is said of it. */
function withoutNews(outcome: DocumentOutcome): DocumentOutcome {
  return { ...outcome, levels: [], findings: [], changes: [], problems: [], unasked: [] }
}
