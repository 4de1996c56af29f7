import type { Decision } from '../decisions/index.ts'
import type { Examined } from './examine.ts'
import type { AdmissionResponse } from './response.ts'
import { type AdmissionRequest, isObject, own } from './review.ts'

type Answer = Omit<AdmissionResponse, 'uid'>

interface Given {
  readonly places: string
  readonly decisions: readonly Decision[]
  readonly answer: Answer
}

/** Answers of the mutating hook that can be given again. */
export interface RepeatedAnswers {
  /** The answer to a review that is equal in all that matters, or the one that `make` gives. */
  answer(
    request: AdmissionRequest,
    examined: readonly Examined[],
    decisions: readonly Decision[],
    make: () => Answer,
  ): Answer
}

/**
 * Remembers what was answered for as long as its first decision is remembered. Only for objects
 * that are made anew and have no annotations: then the patch depends on the decisions and on where
 * the images stand, and on nothing else.
 */
export function createRepeatedAnswers(): RepeatedAnswers {
  const given = new WeakMap<Decision, Given>()
  return {
    answer(request, examined, decisions, make) {
      const [first] = decisions
      if (!first || !isNew(request) || !decisions.every(isSettled)) {
        return make()
      }
      const places = examined
        .map(({ occurrence }) => `${occurrence.pointer} ${occurrence.name}`)
        .join('\n')
      const known = given.get(first)
      if (known?.places === places && isSame(known.decisions, decisions)) {
        return known.answer
      }
      const answer = make()
      given.set(first, { places, decisions, answer })
      return answer
    },
  }
}

/**
 * Whether the decision is one that is remembered. Of others a WeakMap must not know: whatever has
 * been in one outlives every minor collection, and a registry that hangs makes thousands a second.
 */
function isSettled({ policies, findings }: Decision): boolean {
  return policies.length > 0 && findings.length === 0
}

function isNew(request: AdmissionRequest): boolean {
  const metadata = request.object && own(request.object, 'metadata')
  return (
    request.operation === 'CREATE' &&
    request.subResource === '' &&
    request.oldObject === undefined &&
    isObject(metadata) &&
    own(metadata, 'annotations') === undefined
  )
}

function isSame(a: readonly Decision[], b: readonly Decision[]): boolean {
  return a.length === b.length && a.every((decision, index) => decision === b[index])
}
