import { isDeepStrictEqual } from 'node:util'
import type { TagwardenError } from '../errors.ts'
import { builtinKinds, type GroupKind } from '../images/index.ts'
import {
  type CompileOptions,
  compilePolicies,
  type PolicySet,
  readObjects,
} from '../policies/index.ts'
import { describeField } from '../sources/index.ts'
import type { ReviewHandler, ReviewOptions, ReviewSummary } from './handlers.ts'
import { doubtsAbout } from './policy_doubts.ts'
import { reviewAnswer } from './response.ts'
import { type AdmissionRequest, objectAt, own, parseReview } from './review.ts'
import { objectTitle } from './words.ts'

const GROUP = 'tagwarden.io'
const MOST_LINES = 100
const MOST_WARNINGS = 20

export interface PolicyReviewOptions extends Pick<ReviewOptions, 'onReviewed' | 'clock'> {
  /** the policies in force now */
  readonly policies: () => PolicySet
  /** of policies that name none */
  readonly enforcement?: CompileOptions['enforcement']
  /** custom kinds whose images are looked at */
  readonly customKinds?: readonly GroupKind[]
}

/**
 * The webhook for Tagwarden's own kinds: what a CRD cannot say is refused in the words that a file
 * gets, and what is allowed but doubtful is warned of. Deleting is never in the way, nor is an
 * update that leaves the specification as it was, nor a status. Rejects with a TagwardenError
 * ERR_INVALID_REVIEW for a body that is no review.
 *
 * @example
 *   const handlers = { ...createReviewHandlers(options), policies: createPolicyReviewHandler(options) }
 */
export function createPolicyReviewHandler(options: PolicyReviewOptions): ReviewHandler {
  const { clock = Date.now, enforcement, onReviewed, customKinds = [] } = options
  const kinds = [...builtinKinds, ...customKinds]
  return async (body, { received, traceparent }) => {
    const request = parseReview(body)
    const tell = (verdict: ReviewSummary['verdict'], message?: string) => {
      const took = clock() - received
      const object = objectTitle(request)
      const hook = 'policies'
      onReviewed?.({ hook, object, request, verdict, decisions: [], message, took, traceparent })
    }
    const { uid } = request
    if (isPassed(request)) {
      tell('skipped')
      return reviewAnswer({ uid, allowed: true })
    }
    const { resources, problems } = readObjects([request.object])
    const compiled = compilePolicies(resources, { enforcement, secrets: true })
    const wrong = [...problems, ...compiled.problems, ...expired(request, compiled.set, clock())]
    if (wrong.length > 0) {
      const message = refusal(request, wrong)
      tell('denied', message)
      return reviewAnswer({ uid, allowed: false, message })
    }
    tell('allowed')
    const warnings = doubtsAbout(compiled.set, options.policies(), clock(), kinds)
    return reviewAnswer({ uid, allowed: true, warnings: warnings.slice(0, MOST_WARNINGS) })
  }
}

/** What is none of this hook's business, or must never be in the way. */
function isPassed(request: AdmissionRequest): boolean {
  const { operation, kind, subResource, object, oldObject } = request
  if (operation !== 'CREATE' && operation !== 'UPDATE') return true
  if (kind.group !== GROUP || subResource !== '') return true
  if (own(objectAt(object, 'metadata'), 'deletionTimestamp') !== undefined) return true
  // one that is wrong already can get a label, or lose its finalizers
  return (
    operation === 'UPDATE' &&
    oldObject !== undefined &&
    isDeepStrictEqual(own(object ?? {}, 'spec'), own(oldObject, 'spec'))
  )
}

/** Old exceptions are applied again and again by GitOps tools; a new one that is over is a slip. */
function expired(request: AdmissionRequest, set: PolicySet, now: number): string[] {
  if (request.operation !== 'CREATE') return []
  return set.allExceptions
    .filter(({ expires }) => expires <= now)
    .map(({ expires }) => {
      const end = new Date(expires).toISOString()
      return `spec.expires: ${end} is over. Write a moment to come, or delete the exception`
    })
}

function refusal(request: AdmissionRequest, wrong: readonly (TagwardenError | string)[]): string {
  const lines = wrong.map((each) => (typeof each === 'string' ? each : describeField(each)))
  const rest = lines.length - MOST_LINES
  const shown = [...lines.slice(0, MOST_LINES), ...(rest > 0 ? [`and ${rest} more`] : [])]
  return `${objectTitle(request)} is wrong:\n  ${shown.join('\n  ')}`
}
