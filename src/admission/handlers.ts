import type { Decision, Defaults, FactSource, Mode } from '../decisions/index.ts'
import type { GroupKind, ImageField } from '../images/index.ts'
import type { PolicySet } from '../policies/types.ts'
import { annotationsOf, type Examined } from './examine.ts'
import { type Ownership, ownershipOf, skipped } from './ownership.ts'
import { encodePatch } from './patch.ts'
import { HOLD_ANNOTATION } from './record.ts'
import { createRepeatedAnswers } from './repeated.ts'
import { type PulledObject, resolutionPatch, reviewImages, sourceFor } from './resolve.ts'
import { type AdmissionResponse, type ReviewAnswer, reviewAnswer } from './response.ts'
import { type AdmissionRequest, own, parseReview } from './review.ts'
import { collectFindings, denialMessage, isOfRequest, objectTitle, warningsOf } from './words.ts'

type Labels = Readonly<Record<string, string>>

/** What the handlers work with. */
export interface ReviewOptions {
  /** the policies in force now */
  readonly policies: () => PolicySet
  /** the facts, or which of them an object may see: what its own credentials can read */
  readonly source: FactSource | ((object: PulledObject) => FactSource)
  readonly defaults: Defaults
  readonly fields: readonly ImageField[]
  /** accounts that own what they make, beside Kubernetes' own controllers */
  readonly controllers: ReadonlySet<string>
  /** of the annotations, such as `fluxcd.io` */
  readonly prefix: string
  /** the longest time that a review may take, in ms, whatever the API server allows */
  readonly deadline: number
  /** labels of a namespace, as far as they are known; a promise where they are looked up */
  readonly namespaceLabels?: (namespace: string) => Labels | Promise<Labels>
  /** whether there is a promoter that moves workloads of this kind; see Question.promoted */
  readonly promotes?: ((kind: GroupKind) => boolean) | undefined
  /** told of each review, after the answer is made */
  readonly onReviewed?: (review: ReviewSummary) => void
  readonly clock?: () => number
}

/** One review, for logs and metrics. */
export interface ReviewSummary {
  /** `policies`: of Tagwarden's own kinds */
  readonly hook: Hook | 'policies'
  /** `Deployment shop/web` */
  readonly object: string
  readonly request: AdmissionRequest
  readonly verdict: 'allowed' | 'changed' | 'denied' | 'skipped'
  readonly decisions: readonly Decision[]
  readonly message: string | undefined
  /** ms from the arrival of the request */
  readonly took: number
  /** the header of the request, unread: see parseTraceparent */
  readonly traceparent: string | undefined
}

export type Hook = 'mutate' | 'validate'

export type ReviewHandler = (
  body: Buffer,
  call: {
    /** what the API server allows, from `?timeout=` */
    readonly timeoutSeconds: number | undefined
    /** ms since the epoch at which the request arrived */
    readonly received: number
    /** the header of that name, as it came */
    readonly traceparent?: string | undefined
  },
) => Promise<ReviewAnswer>

const DEFAULT_TIMEOUT_SECONDS = 10

/**
 * The two webhooks. `mutate` resolves and always allows; `validate` judges the final object.
 * Both reject with a TagwardenError ERR_INVALID_REVIEW for a body that is no review.
 *
 * @example
 *   const { mutate, validate } = createReviewHandlers({ policies, source, … })
 *   const { status, body } = await validate(buffer, { timeoutSeconds: 10, received: Date.now() })
 */
export function createReviewHandlers(options: ReviewOptions): Record<Hook, ReviewHandler> {
  return { mutate: handler(options, 'mutate'), validate: handler(options, 'validate') }
}

function handler(options: ReviewOptions, hook: Hook): ReviewHandler {
  const clock = options.clock ?? Date.now
  const repeated = createRepeatedAnswers()
  const mutation = (
    request: AdmissionRequest,
    examined: readonly Examined[],
    decisions: readonly Decision[],
    mode: Mode,
  ) =>
    mode === 'judge'
      ? { allowed: true }
      : repeated.answer(request, examined, decisions, () =>
          mutated(request, examined, decisions, options.prefix),
        )
  return async (body, { timeoutSeconds, received, traceparent }) => {
    const request = parseReview(body)
    const summary = (
      verdict: ReviewSummary['verdict'],
      decisions: readonly Decision[] = [],
      message?: string,
    ) => {
      const object = objectTitle(request)
      const took = clock() - received
      const told = { hook, object, request, verdict, decisions, message, took, traceparent }
      options.onReviewed?.(told)
    }
    if (skipped(request)) {
      summary('skipped')
      return reviewAnswer({ uid: request.uid, allowed: true })
    }
    const ownership = ownershipOf(request, options.controllers)
    const mode = modeOf(ownership, hook)
    const { examined, decisions } = await reviewImages(
      request,
      {
        policies: options.policies(),
        fields: options.fields,
        defaults: options.defaults,
        mode,
        ownerReviewed: ownership === 'reviewed',
        namespaceLabels: (await options.namespaceLabels?.(request.namespace)) ?? {},
        promoted: options.promotes?.(request.kind),
      },
      {
        source: sourceFor(options.source, request),
        deadline: received + allowedTime(timeoutSeconds, options.deadline),
        clock,
        lane: request.namespace,
      },
    )
    const response =
      hook === 'mutate'
        ? { uid: request.uid, ...mutation(request, examined, decisions, mode) }
        : validated(request, examined, decisions, mode)
    const changed = response.patch !== undefined
    summary(
      response.allowed ? (changed ? 'changed' : 'allowed') : 'denied',
      decisions,
      response.message,
    )
    return reviewAnswer(response)
  }
}

function modeOf(ownership: Ownership, hook: Hook): Mode {
  if (ownership !== 'none') {
    return 'judge'
  }
  return hook === 'mutate' ? 'resolve' : 'check'
}

/** A fifth of what the API server allows is kept for the way back, also on a busy machine. */
function allowedTime(timeoutSeconds: number | undefined, longest: number): number {
  return Math.min(longest, (timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 800)
}

function mutated(
  request: AdmissionRequest,
  examined: readonly Examined[],
  decisions: readonly Decision[],
  prefix: string,
): Omit<AdmissionResponse, 'uid'> {
  const patch = resolutionPatch(request, { examined, decisions }, prefix)
  const held = collectFindings(examined, decisions, isOfRequest)
  const resolved = examined.flatMap(({ occurrence }, index) => {
    const change = decisions[index]?.change
    return change && !change.kept
      ? `${occurrence.field}: ${String(occurrence.value)} -> ${change.to} (${change.policy.title})`
      : []
  })
  const auditAnnotations = resolved.length > 0 ? { resolved: audit(resolved) } : undefined
  return { allowed: true, patch: encodePatch(patch), warnings: warningsOf(held), auditAnnotations }
}

function validated(
  request: AdmissionRequest,
  examined: readonly Examined[],
  decisions: readonly Decision[],
  mode: Mode,
): AdmissionResponse {
  const findings = collectFindings(examined, decisions)
  const denied = findings.denied.length > 0
  const notes: Record<string, string> = {}
  if (denied) notes['denied'] = audit(findings.denied)
  if (findings.warned.length > 0) notes['warned'] = audit(findings.warned)
  if (findings.audited.length > 0) notes['audited'] = audit(findings.audited)
  return {
    uid: request.uid,
    allowed: !denied,
    message: denied ? denialMessage(request, findings) : undefined,
    warnings: [...(mode === 'check' ? holdDoubt(request) : []), ...warningsOf(findings)],
    auditAnnotations: Object.keys(notes).length > 0 ? notes : undefined,
  }
}

/** Whoever holds a workload in a hurry must not believe that it is held when it is not. */
function holdDoubt(request: AdmissionRequest): string[] {
  const hold = own(annotationsOf(request.object), HOLD_ANNOTATION)
  if (typeof hold !== 'string' || ['true', 'false', ''].includes(hold)) return []
  const shown = JSON.stringify(hold.slice(0, 20))
  return [`metadata.annotations: ${HOLD_ANNOTATION} is ${shown}, which holds nothing. Write "true"`]
}

/** An audit annotation's value: the lines, as far as 8,000 characters go. */
function audit(lines: readonly string[]): string {
  const text = lines.join('\n')
  return text.length > 8000 ? `${text.slice(0, 8000)}…` : text
}
