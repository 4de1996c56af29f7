import { TagwardenError } from '../errors.ts'
import type { ReportFinding, ReportProblem } from '../reports/types.ts'
import type { DocumentPlace, DocumentReviewer } from './document_review.ts'
import type { FileText } from './file_text.ts'
import { fingerprinted } from './fingerprints.ts'
import type { DocumentOutcome, FixedDocument, ReviewedDocument } from './outcome.ts'

/** What one file gave. */
export interface FileOutcome {
  readonly findings: readonly ReportFinding[]
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
  /** of the bytes that were read, where it is known */
  readonly hash: string | undefined
}

export interface FileReviewOptions {
  readonly review: DocumentReviewer
  /** which documents count, by their lines; undefined: all */
  readonly changed: ((lines: readonly [first: number, end: number]) => boolean) | undefined
  /** told of the text of each document as it becomes, in their order */
  readonly onText?: ((text: string) => void) | undefined
  readonly signal: AbortSignal
}

/** So many documents of one file wait for facts at once. */
const AT_ONCE = 32
/** Others get a turn after this many ms: a signal to end, a registry's answer. */
const TURN = 50

/** Judges the documents of one file. Never rejects: what cannot be read is told. */
export async function reviewFile(
  place: DocumentPlace,
  text: FileText,
  { review, changed, onText, signal }: FileReviewOptions,
): Promise<ReviewedFile> {
  const documents: ReviewedDocument[] = []
  const problems: ReportProblem[] = []
  const running: { text: string; reviewed: Promise<ReviewedDocument> }[] = []
  let turn = performance.now()

  async function settle(): Promise<void> {
    const next = running.shift()
    if (!next) return
    const reviewed = await unlessAborted(next.reviewed, signal)
    if (!reviewed) return
    onText?.(reviewed.fixed?.text ?? next.text)
    documents.push(reviewed)
  }

  try {
    for await (const some of text.documents()) {
      for (const document of some) {
        if (signal.aborted) break
        running.push({ text: document.text, reviewed: review(document, place) })
        if (running.length >= AT_ONCE) await settle()
        if (performance.now() - turn > TURN) {
          await new Promise((resolve) => setImmediate(resolve))
          turn = performance.now()
        }
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

  const outcomeOf = (each: readonly DocumentOutcome[]): FileOutcome => {
    const counts = changed ? each.map((one) => (changed(one.lines) ? one : withoutNews(one))) : each
    const all = fingerprinted(
      place.file,
      each.flatMap(({ findings }) => findings),
    )
    const kept = new Set(counts.flatMap(({ findings }) => findings).map((one) => keyOf(one)))
    const findings = changed ? all.filter((one) => kept.has(keyOf(one))) : all
    return { findings, documents: counts, problems }
  }
  const before = documents.map(({ outcome }) => outcome)
  const fixes = documents.flatMap(({ fixed, outcome }) =>
    fixed && (changed?.(outcome.lines) ?? true) ? fixed : [],
  )
  const after = documents.map(({ outcome, fixed }) =>
    fixed && fixes.includes(fixed) ? fixed.outcome : outcome,
  )
  return {
    place,
    outcome: outcomeOf(before),
    fixed: fixes.length > 0 ? { outcome: outcomeOf(after), documents: fixes } : undefined,
    hash: text.hash(),
  }
}

function keyOf({
  location,
  pointer,
  reason,
  policy,
}: Pick<ReportFinding, 'location' | 'pointer' | 'reason' | 'policy'>) {
  return JSON.stringify([location, pointer, reason, policy])
}

/** A document that was there before the changes: it is read, and nothing is said of it. */
function withoutNews(outcome: DocumentOutcome): DocumentOutcome {
  return { ...outcome, levels: [], findings: [], changes: [], problems: [] }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>()
  const abort = () => resolve(undefined)
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort))
}
