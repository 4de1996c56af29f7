import {
  type Decision,
  type Defaults,
  type Finding,
  isCrowded,
  MOST_JUDGEMENTS,
  type Mode,
  type Question,
  tooManyJudgements,
} from '../decisions/index.ts'
import { describeError } from '../errors.ts'
import {
  findImages,
  type ImageField,
  type ImageOccurrence,
  type ImageReference,
  matchOccurrences,
  parseReference,
} from '../images/index.ts'
import type { PolicySet } from '../policies/types.ts'
import {
  chosenTag,
  HOLD_ANNOTATION,
  type ImageRecord,
  readRecords,
  recordKeys,
  recordOf,
} from './record.ts'
import { type AdmissionRequest, type JsonObject, objectAt, own } from './review.ts'
import { workloadOf } from './workload.ts'

/** One image of the object under review. */
export interface Examined {
  readonly occurrence: ImageOccurrence
  /** what it is called in records */
  readonly key: string
  /** what Tagwarden recorded for it before this update */
  readonly prior: ImageRecord | undefined
  /** what the object under review says was recorded */
  readonly stated: ImageRecord | undefined
  readonly unchanged: boolean
  /** undefined: there is nothing to ask, see `decision` */
  readonly question: Question | undefined
  /** set at once for what is no reference, and for what an object has too much of */
  readonly decision: Decision | undefined
}

/** How objects are to be looked at. */
export interface Examination {
  readonly policies: PolicySet
  readonly fields: readonly ImageField[]
  readonly defaults: Defaults
  readonly mode: Mode
  /** see Question.ownerReviewed */
  readonly ownerReviewed: boolean
  readonly namespaceLabels: Readonly<Record<string, string>>
  /** see Question.promoted */
  readonly promoted?: boolean | undefined
}

/** Finds the images of an object and what there is to ask about each. */
export function examine(request: AdmissionRequest, how: Examination): Examined[] {
  const found = findImages(request.object, request.kind, how.fields)
  const update = request.operation === 'UPDATE' && request.oldObject !== undefined
  const before = update ? findImages(request.oldObject, request.kind, how.fields) : []
  const old = update ? matchOccurrences(found, before) : []
  const annotations = annotationsOf(request.object)
  const priors = readRecords(annotationsOf(request.oldObject))
  const stated = readRecords(annotations)
  const workload = workloadOf(request, how.ownerReviewed, how.namespaceLabels)
  const keys = recordKeys(found)
  const held = own(annotations, HOLD_ANNOTATION) === 'true'
  const immutable = update && request.kind.kind === 'Job' && request.kind.group === 'batch'
  let judgements = 0
  return found.map((occurrence, index) => {
    const key = keys[index] as string
    const was = old[index]?.value
    const place = {
      occurrence,
      key,
      prior: recordOf(priors, key, old[index] ?? occurrence),
      stated: recordOf(stated, key, occurrence),
      unchanged: isSame(was, occurrence.value),
    }
    let image: ImageReference
    try {
      image = parseValue(occurrence.value)
    } catch (error) {
      return { ...place, question: undefined, decision: noReference(error, place, how.defaults) }
    }
    const policies = how.policies.match(image, workload, occurrence.name)
    judgements += isCrowded(policies) ? 0 : policies.length
    if (judgements > MOST_JUDGEMENTS) {
      const finding = tooManyJudgements()
      const found = place.unchanged ? { ...finding, enforcement: 'Warn' as const } : finding
      return { ...place, question: undefined, decision: settled(found) }
    }
    const question: Question = {
      image,
      policies,
      exceptions: how.policies.exceptions(image, workload, occurrence.name),
      defaults: how.defaults,
      mode: how.mode,
      unchanged: place.unchanged,
      previous: place.unchanged ? undefined : previousOf(was, place.prior),
      hold: held,
      promoted: how.promoted ?? false,
      restored: place.stated?.resolved === image.original,
      hint: hintOf(image, place.stated),
      ownerReviewed: how.ownerReviewed,
      owners: workload.owners,
      immutable,
    }
    return { ...place, question, decision: undefined }
  })
}

/** The annotations of an object; none when they are missing or no object. */
export function annotationsOf(object: JsonObject | undefined): JsonObject {
  return objectAt(objectAt(object, 'metadata'), 'annotations')
}

/** What is no text is compared by its JSON. */
function isSame(was: unknown, is: unknown): boolean {
  return was === is
    ? was !== undefined
    : typeof was === 'object' &&
        typeof is === 'object' &&
        JSON.stringify(was) === JSON.stringify(is)
}

function parseValue(value: unknown): ImageReference {
  if (typeof value !== 'string') {
    const bare = typeof value === 'number' || typeof value === 'boolean'
    throw new Error(bare ? 'It is not a text. Put it in quotes' : 'It is not a text')
  }
  return parseReference(value)
}

function previousOf(was: unknown, prior: ImageRecord | undefined): Question['previous'] {
  if (typeof was !== 'string') {
    return undefined
  }
  try {
    const image = parseReference(was)
    const record =
      prior?.resolved === was
        ? {
            requested: prior.requested,
            rolledBackFrom: prior.rolledBackFrom,
            tag: chosenTag(prior),
          }
        : undefined
    return { image, record }
  } catch {
    return undefined
  }
}

/** The tag that the object says a bare digest came from: what was chosen, else what was asked for. */
function hintOf(image: ImageReference, stated: ImageRecord | undefined): string | undefined {
  if (
    image.digest === undefined ||
    image.tag !== undefined ||
    stated?.resolved !== image.original
  ) {
    return undefined
  }
  try {
    return stated.tag === undefined ? parseReference(stated.requested).tag : chosenTag(stated)
  } catch {
    return undefined
  }
}

function noReference(
  error: unknown,
  place: Pick<Examined, 'unchanged'>,
  defaults: Defaults,
): Decision {
  const denied = defaults.enforcement === 'Enforce' && !place.unchanged
  return settled({
    reason: 'InvalidReference',
    enforcement: denied ? 'Enforce' : defaults.enforcement === 'Audit' ? 'Audit' : 'Warn',
    policy: undefined,
    message: `${describeError(error)}.`,
    use: undefined,
    cause: undefined,
  })
}

/** A decision on what nobody needs to ask about. */
function settled(finding: Finding): Decision {
  return {
    image: undefined,
    policies: [],
    mover: undefined,
    findings: [finding],
    change: undefined,
    rolledBackFrom: undefined,
    needs: [],
    wishes: [],
  }
}
