import type { ReviewOptions } from '../admission/index.ts'
import type { FactSource } from '../decisions/index.ts'
import { describeError, type TagwardenError } from '../errors.ts'
import type { Report, ReportChange, ReportFinding, ReportProblem } from '../reports/types.ts'
import { createDocumentReviewer, type DocumentPlace } from './document_review.ts'
import { createFactLookups, keyedSource } from './fact_lookups.ts'
import { type FileOutcome, type ReviewedFile, reviewFile } from './file_review.ts'
import type { FileText } from './file_text.ts'
import type { Fixing } from './fix_plan.ts'
import { createFunnelBook } from './funnel_book.ts'
import { ASSEMBLED_FIELDS } from './image_parts.ts'
import { createLackingLabels } from './lacking_labels.ts'
import { someOf } from './words.ts'

/** One text to look at. */
export interface ManifestInput {
  readonly place: DocumentPlace
  readonly text: FileText
  /** which documents count, by their lines; undefined: all */
  readonly changed?: ((lines: readonly [first: number, end: number]) => boolean) | undefined
}

/** How far a review has come. */
export interface ReviewProgress {
  readonly files: number
  /** documents of all files, also of those that are not done */
  readonly documents: number
  /** UTF-16 units of these documents */
  readonly read: number
  readonly findings: number
  /** facts that registries were asked for */
  readonly asked: number
  readonly answered: number
}

export interface ManifestReviewOptions {
  readonly version: string
  readonly inputs: AsyncIterable<ManifestInput>
  /** as the webhooks have them; its source is asked for each fact once */
  readonly admission: Omit<ReviewOptions, 'source' | 'deadline'> & { readonly source: FactSource }
  /** namespaces that the webhook is not asked about: of what belongs there, AdmissionReviews only are judged */
  readonly excludedNamespaces?: readonly string[] | undefined
  /** whether the cluster told the labels of a namespace; left out: what is lacking is not told */
  readonly isLabelled?: ((namespace: string) => boolean) | undefined
  /** under which key objects of a namespace know a repository; its name, where this is left out */
  readonly keyIn?: ((namespace: string, name: string) => string) | undefined
  /** undefined: nothing is to be fixed */
  readonly fixing?: Fixing | undefined
  /** writes a fix; @returns what went wrong */
  readonly onFix?: ((file: ReviewedFile) => Promise<TagwardenError | undefined>) | undefined
  /** fixes are only shown: the findings stay */
  readonly dryRun?: boolean | undefined
  /** told of the text of each document as it becomes, in order */
  readonly onText?: ((text: string) => void) | undefined
  /** told of each answer to an AdmissionReview */
  readonly onAnswer?: ((answer: string) => void) | undefined
  readonly onProgress?: ((progress: ReviewProgress) => void) | undefined
  /** problems found before, such as a path that is not there */
  readonly problems?: readonly TagwardenError[] | undefined
  readonly signal: AbortSignal
}

/** What a review gave beside its report. */
export interface ManifestReview {
  readonly report: Report
  /** files that hold no Kubernetes object */
  readonly passedOver: number
  readonly fixed: { readonly files: number; readonly images: number }
}

/** So many files are looked at at once; the order of what is told does not depend on it. */
const AT_ONCE = 32
/** A page can show no more. */
const MOST_FUNNELS = 1_000
/** What an object waits for has a time limit of its own: see createFactLookups. */
const PATIENCE = 24 * 3_600_000

/**
 * Judges manifests as admission would judge the same objects when they are created, file after
 * file. Memory is bounded by what is found, not by what is read.
 *
 * @example
 *   const { report } = await reviewManifests({ inputs, admission, version, signal })
 */
export async function reviewManifests(options: ManifestReviewOptions): Promise<ManifestReview> {
  const { admission, fixing, signal } = options
  const clock = admission.clock ?? Date.now
  const startedAt = clock()
  const lookups = createFactLookups(admission.source, signal)
  const labels = new Map<string, Readonly<Record<string, string>>>()
  const { keyIn } = options
  const sourceIn = (namespace: string) =>
    keyIn ? keyedSource(lookups, (name) => keyIn(namespace, name)) : lookups
  const funnels = createFunnelBook(MOST_FUNNELS)
  const { isLabelled = () => true } = options
  const lacking = createLackingLabels(
    admission.policies().policies,
    (name) => labels.has(name) || isLabelled(name),
  )
  const review = createDocumentReviewer({
    admission: {
      ...admission,
      fields: [...admission.fields, ...ASSEMBLED_FIELDS],
      source: ({ namespace }) => sourceIn(namespace),
      deadline: PATIENCE,
      namespaceLabels: (name) => labels.get(name) ?? admission.namespaceLabels?.(name) ?? {},
    },
    excludedNamespaces: new Set(options.excludedNamespaces),
    patience: PATIENCE,
    fixing,
    answers: options.onAnswer !== undefined,
    funnels,
    facts: (namespace) => ({
      snapshot: sourceIn(namespace).snapshot,
      failure: () => undefined,
      now: clock(),
    }),
    onJudged: lacking.note,
    onNamespace: (name, found) => void labels.set(name, found),
  })
  const sum = createSum((options.problems ?? []).map(toProblem), lacking.notes)
  const running: Promise<ReviewedFile>[] = []
  /** findings: of documents whose file is not done */
  const seen = { documents: 0, read: 0, findings: 0 }
  const pending = new Map<DocumentPlace, number>()

  async function settle(): Promise<void> {
    const file = await running.shift()
    if (!file) return
    const writes = file.fixed && options.onFix && !signal.aborted
    const failure = writes ? await options.onFix?.(file) : undefined
    const fixed = writes && !failure ? file.fixed : undefined
    const counts = fixed && !options.dryRun ? fixed.outcome : file.outcome
    sum.add(file, counts, fixed, failure)
    for (const { answers } of counts.documents) for (const each of answers) options.onAnswer?.(each)
    seen.findings -= pending.get(file.place) ?? 0
    pending.delete(file.place)
    tellProgress()
  }

  function tellProgress(): void {
    const { asked, answered } = lookups.count()
    const findings = sum.findings() + seen.findings
    const { documents, read } = seen
    options.onProgress?.({ files: sum.files(), documents, read, findings, asked, answered })
  }

  function note(place: DocumentPlace, text: string, findings: number): void {
    seen.documents += 1
    seen.read += text.length
    seen.findings += findings
    pending.set(place, (pending.get(place) ?? 0) + findings)
    tellProgress()
  }

  for await (const { place, text, changed } of options.inputs) {
    if (signal.aborted) break
    // Texts come out in order only if one file is done before the next one begins.
    const { onText } = options
    const onDocument = (own: string, findings: number) => note(place, own, findings)
    running.push(reviewFile(place, text, { review, changed, onText, onDocument, signal }))
    if (running.length >= (onText ? 1 : AT_ONCE)) await settle()
  }
  while (running.length > 0) await settle()
  return sum.result((totals) => ({
    door: 'review',
    version: options.version,
    startedAt,
    finishedAt: clock(),
    interrupted: signal.aborted,
    funnels: funnels.funnels(),
    ...totals,
  }))
}

type Summed = Pick<Report, 'totals' | 'findings' | 'changes' | 'problems' | 'notes'>

function createSum(problems: ReportProblem[], furtherNotes: () => readonly string[]) {
  const findings: ReportFinding[] = []
  const changes: ReportChange[] = []
  const templates: string[] = []
  const unasked = new Set<string>()
  const unfixed: string[] = []
  const totals = { files: 0, objects: 0, images: 0, denied: 0, warned: 0, audited: 0, changed: 0 }
  const fixed = { files: 0, images: 0 }
  const found = { deny: 0, warn: 0, audit: 0 }
  let passedOver = 0
  return {
    files: () => totals.files,
    findings: () => found.deny + found.warn + found.audit,
    add(
      { place, unfixed: remains }: ReviewedFile,
      outcome: FileOutcome,
      fixes: ReviewedFile['fixed'],
      failure: TagwardenError | undefined,
    ): void {
      totals.files += 1
      for (const each of remains) unfixed.push(each)
      for (const each of outcome.findings) {
        found[each.level] += 1
        if (found[each.level] <= MOST_FINDINGS) findings.push(each)
      }
      problems.push(...outcome.problems, ...(failure ? [toProblem(failure)] : []))
      const before = totals.objects
      let filled = true
      for (const document of outcome.documents) {
        totals.objects += document.objects
        totals.images += document.images
        for (const level of document.levels) totals[COUNT_OF[level]] += 1
        totals.changed += document.changes.length
        for (const each of document.changes) changes.push(each)
        for (const each of document.problems) problems.push(each)
        for (const each of document.unasked) unasked.add(each)
        if (document.templates > 0) filled = false
      }
      if (!filled) templates.push(place.file)
      const silent = filled && totals.objects === before && outcome.problems.length === 0
      if (
        silent &&
        outcome.documents.every(({ images, problems: own }) => images + own.length === 0)
      ) {
        passedOver += 1
      }
      if (fixes) {
        fixed.files += 1
        for (const { count } of fixes.documents) fixed.images += count
      }
    },
    result(complete: (summed: Summed) => Report): ManifestReview {
      const more = found.deny + found.warn + found.audit - findings.length
      const notes = [
        ...(more > 0
          ? [`${more.toLocaleString('en')} more findings are counted and not shown: review a part`]
          : []),
        ...(templates.length > 0 ? [templateNote(templates)] : []),
        ...(unasked.size > 0 ? [unaskedNote([...unasked].sort())] : []),
        ...furtherNotes(),
        ...(unfixed.length > 0 ? [`Not fixed: ${someOf(unfixed)}`] : []),
      ]
      const counts = { ...totals, accepted: 0 }
      const report = complete({ totals: counts, findings, changes, problems, notes })
      return { report, passedOver, fixed }
    },
  }
}

/** Of each level so many are kept: a report of more cannot be written as one text. */
const MOST_FINDINGS = 100_000
function templateNote(files: readonly string[]): string {
  return `Templates are not judged before they are filled in: ${someOf(files)}. Pipe the output of helm template, kustomize build or flux envsubst into tagwarden review -`
}

function unaskedNote(namespaces: readonly string[]): string {
  const [first = ''] = namespaces
  return `What belongs to ${someOf(namespaces)} is not judged, as the webhook is never asked about it: --namespace ${first} judges it`
}

const COUNT_OF = { deny: 'denied', warn: 'warned', audit: 'audited' } as const

function toProblem(error: TagwardenError): ReportProblem {
  const { code, position, remedy } = error
  const message = remedy === '' ? error.message : `${error.message}. ${remedy}`
  const nowhere = code === 'ERR_CLUSTER' ? 'cluster' : ''
  const { file = nowhere, line, column } = position ?? {}
  return { code, place: file, line, column, message: position ? message : describeError(error) }
}
