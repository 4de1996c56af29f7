import { createReviewHandlers, type ReviewOptions } from '../admission/index.ts'
import type { Facts } from '../decisions/index.ts'
import { describeError } from '../errors.ts'
import { displayImage, pointerKeys } from '../images/index.ts'
import {
  LEVEL_OF,
  type Location,
  type ReportChange,
  type ReportProblem,
  worstLevel,
} from '../reports/types.ts'
import { answerReview } from './admission_answer.ts'
import { countLines, type SourceDocument } from './document_stream.ts'
import { type Fixing, type FixPlan, planFixes } from './fix_plan.ts'
import type { FunnelBook } from './funnel_book.ts'
import { type JudgedImage, judgeImages } from './judged_image.ts'
import { itemValue } from './list_items.ts'
import { isFault, type Manifest, readManifest } from './manifest.ts'
import { namespacesIn } from './namespace_labels.ts'
import {
  createLocator,
  type DocumentOutcome,
  NOTHING_FOUND,
  type ReviewedDocument,
  type UnmarkedFinding,
} from './outcome.ts'
import { applyEdits } from './scalar_edit.ts'
import { createPlaceFinder } from './scalar_place.ts'
import {
  type DocumentHints,
  type FoundSubjects,
  findSubjects,
  type ReviewSubject,
} from './subjects.ts'

export interface DocumentReviewOptions {
  readonly admission: ReviewOptions
  /** namespaces that the webhook is not asked about, but for AdmissionReviews */
  readonly excludedNamespaces: ReadonlySet<string>
  /** ms that facts of one object may take */
  readonly patience: number
  readonly fixing: Fixing | undefined
  /** whether AdmissionReviews are answered */
  readonly answers: boolean
  readonly funnels: FunnelBook
  /** what is known now to objects of a namespace */
  readonly facts: (namespace: string) => Facts
  /** told of each image that is judged */
  readonly onJudged: (images: readonly JudgedImage[]) => void
  /** told of the labels of each Namespace that is seen */
  readonly onNamespace: (name: string, labels: Readonly<Record<string, string>>) => void
}

/** The file that a document stands in. */
export interface DocumentPlace extends DocumentHints {
  readonly file: string
}

/** Judges one document. Never rejects for what stands in it. */
export type DocumentReviewer = (
  document: SourceDocument,
  place: DocumentPlace,
) => Promise<ReviewedDocument>

const CLAIM = /(?:^|[{,])[ \t]*["']?(?:apiVersion|kind)["']?[ \t]*:/m
const TEMPLATE = '{{'
/** What Helm, Flux and OpenShift, kubelets and pipelines fill in: none may stand in a reference. */
const UNFILLED = /\{\{|[$#]\{|\$\(/
const UNFIXED = { fixed: undefined, unfixed: [] }

export function createDocumentReviewer(options: DocumentReviewOptions): DocumentReviewer {
  const { admission, fixing } = options
  const clock = admission.clock ?? Date.now
  const handlers = options.answers ? createReviewHandlers(admission) : undefined
  const words = ['image', ...admission.fields.flatMap(({ paths }) => paths.map(lastWord))]
  // what else can stand for these letters: an escape, or Base64, whose tag may have another prefix
  const letters = [...words, '\\', 'binary', '%TAG']

  /** Whether a document could name an image. */
  function mayHoldImages(text: string): boolean {
    return letters.some((each) => text.includes(each))
  }

  async function judged(subjects: FoundSubjects['subjects']): Promise<JudgedImage[]> {
    const deadline = clock() + options.patience
    const [only] = subjects
    if (only && subjects.length === 1) return judgeImages(only, admission, deadline)
    const all: JudgedImage[] = []
    // a List of thousands takes its turns, as thousands of documents do
    for (let at = 0; at < subjects.length; at += 32) {
      const some = subjects.slice(at, at + 32)
      const until = clock() + options.patience
      const images = await Promise.all(some.map((each) => judgeImages(each, admission, until)))
      all.push(...images.flat())
    }
    return all
  }

  async function outcomeOf(
    document: SourceDocument,
    place: DocumentPlace,
    manifest: Manifest,
  ): Promise<{ outcome: DocumentOutcome; images: readonly JudgedImage[] }> {
    const { text } = document
    const found = subjectsOf(document, manifest, place)
    const { asked, unasked } = apart(found.subjects, options.excludedNamespaces)
    const all = await judged(asked)
    const images = all.filter(({ image }) => !isTemplate(image, text))
    options.onJudged(images)
    const locate = locationsIn(document, place.file, manifest)
    const answers = handlers
      ? await Promise.all(found.subjects.map((each) => answerReview(each, handlers, clock)))
      : []
    const outcome = {
      lines: linesOf(document),
      objects: found.objects,
      images: images.length,
      templates: all.length - images.length,
      unasked,
      levels: images.flatMap(
        ({ findings }) =>
          worstLevel(findings.map(({ enforcement }) => LEVEL_OF[enforcement])) ?? [],
      ),
      findings: images.flatMap((image) => findingsOf(image, locate, options)),
      changes: images.flatMap((image) => changeOf(image, locate) ?? []),
      problems: found.problem
        ? [problem(place.file, locate(found.problem.base), describeError(found.problem.error))]
        : [],
      answers: answers.flatMap((answer) => answer ?? []),
    }
    return { outcome, images }
  }

  return async (document, place) => {
    const { text } = document
    const nothing = { ...NOTHING_FOUND, lines: linesOf(document) }
    if (document.part?.isItem === false) return { outcome: nothing, ...UNFIXED }
    for (const [name, labels] of namespacesIn(text)) options.onNamespace(name, labels)
    const isAsked = options.answers && text.includes('AdmissionReview')
    if (!place.values && !isAsked && !mayHoldImages(text)) {
      return { outcome: { ...nothing, objects: CLAIM.test(text) ? 1 : 0 }, ...UNFIXED }
    }
    const manifest = readManifest(text)
    if (isFault(manifest)) {
      if (manifest.isSyntax && text.includes(TEMPLATE)) {
        return { outcome: { ...nothing, templates: 1 }, ...UNFIXED }
      }
      if (!CLAIM.test(text) && !place.values && !place.kustomization) {
        return { outcome: nothing, ...UNFIXED }
      }
      const at = createLocator(document, place.file).range(manifest.offset, text.length)
      const wrong = problem(place.file, at, `${manifest.message}. ${manifest.remedy}`)
      return { outcome: { ...nothing, problems: [wrong] }, ...UNFIXED }
    }
    const { outcome, images } = await outcomeOf(document, place, manifest)
    if (!fixing) return { outcome, ...UNFIXED }
    const first = planFixes(text, manifest, images, fixing)
    let fixed = await fixedBy(document, place, first)
    let plan = first
    if (fixed && fixing.pin) {
      // what is put right may be resolved further: both are written at once
      const resolved = new Map(
        fixed.images.flatMap(({ place: at, change }) => (change ? [[at, change.to]] : [])),
      )
      if (resolved.size > 0) {
        plan = planFixes(text, manifest, images, fixing, resolved)
        fixed = await fixedBy(document, place, plan)
      }
    }
    const unfixed = plan.unfixed.map((each) => {
      const { line, column } = locationsIn(document, place.file, manifest)(each.place)
      return `${place.file}:${line}:${column} (${each.why})`
    })
    return { outcome, fixed, unfixed }
  }

  /** The document as a plan makes it, judged again. */
  async function fixedBy(document: SourceDocument, place: DocumentPlace, plan: FixPlan) {
    const { edits } = plan
    const text = applyEdits(document.text, edits)
    const manifest = readManifest(text)
    if (edits.length === 0 || isFault(manifest)) return undefined
    const { outcome, images } = await outcomeOf({ ...document, text }, place, manifest)
    return { offset: document.offset, edits, count: plan.images, text, outcome, images }
  }
}

function subjectsOf(
  { part }: SourceDocument,
  { value }: Manifest,
  place: DocumentPlace,
): FoundSubjects {
  if (!part) return findSubjects(value, place)
  return findSubjects(itemValue(value, part.type), place, Array.isArray(value) ? '/0' : '')
}

/** What is judged, and the namespaces of what is not. */
function apart(subjects: FoundSubjects['subjects'], excluded: ReadonlySet<string>) {
  const isAsked = ({ review, subject }: ReviewSubject) =>
    review !== undefined || !excluded.has(subject.namespace ?? '')
  const asked = subjects.filter(isAsked)
  if (asked.length === subjects.length) return { asked, unasked: [] }
  const others = subjects.filter((each) => !isAsked(each))
  return { asked, unasked: [...new Set(others.map(({ subject }) => subject.namespace ?? ''))] }
}

/** An image that a template has yet to fill in. */
function isTemplate(image: unknown, text: string): boolean {
  return typeof image === 'string'
    ? UNFILLED.test(image)
    : typeof image === 'object' && text.includes(TEMPLATE)
}

type Locate = (place: string) => Location

/** Places are looked for only when there is something to say of one. */
function locationsIn(document: SourceDocument, file: string, manifest: Manifest): Locate {
  const { text } = document
  const tools = lazy(() => {
    const lines = createLocator(document, file)
    try {
      return { lines, finder: createPlaceFinder(text, manifest.events()) }
    } catch {
      return { lines, finder: undefined } // JSON that is no YAML
    }
  })
  return (place) => {
    const { lines, finder } = tools()
    const found = finder?.find(pointerKeys(place))
    return found ? lines.range(found.start, found.end) : lines.range(0, 0)
  }
}

function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function findingsOf(
  image: JudgedImage,
  locate: Locate,
  { funnels, facts }: Pick<DocumentReviewOptions, 'funnels' | 'facts'>,
): UnmarkedFinding[] {
  const { subject, container, pointer, findings } = image
  return findings.map((finding) => ({
    level: LEVEL_OF[finding.enforcement],
    reason: finding.reason,
    policy: finding.policy?.title,
    subject,
    container,
    pointer,
    image: typeof image.image === 'string' ? image.image : displayImage(image.image),
    message: finding.message,
    use: finding.use,
    location: locate(image.place),
    funnel: funnels.note(image.question, finding.policy, facts(subject.namespace ?? '')),
  }))
}

function changeOf(image: JudgedImage, locate: Locate): ReportChange | undefined {
  const { subject, container, pointer, change } = image
  return (
    change && {
      ...{ subject, container, pointer, from: String(image.image), to: change.to },
      policy: change.policy.title,
      location: locate(image.place),
    }
  )
}

function problem(place: string, location: Location | undefined, message: string) {
  const { line, column } = location ?? {}
  return { code: 'ERR_INVALID_MANIFEST', place, line, column, message } satisfies ReportProblem
}

function linesOf({ text, line }: SourceDocument): readonly [number, number] {
  return [line, line + countLines(text) + 1]
}

function lastWord(path: string): string {
  return pointerKeys(path).findLast((key) => key !== '*') ?? ''
}
