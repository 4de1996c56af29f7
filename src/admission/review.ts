import { TagwardenError } from '../errors.ts'
import type { GroupKind } from '../images/types.ts'

/** What an AdmissionReview asks, as far as Tagwarden reads it. Absent strings are empty. */
export interface AdmissionRequest {
  readonly uid: string
  readonly kind: GroupKind
  readonly subResource: string
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  /** empty for a cluster-scoped object */
  readonly namespace: string
  readonly name: string
  readonly username: string
  readonly dryRun: boolean
  readonly object: JsonObject | undefined
  readonly oldObject: JsonObject | undefined
}

export type JsonObject = Readonly<Record<string, unknown>>

const OPERATIONS = new Set(['CREATE', 'UPDATE', 'DELETE', 'CONNECT'])

/**
 * Reads the body of a webhook call: an `AdmissionReview` of `admission.k8s.io/v1`.
 *
 * @throws TagwardenError ERR_INVALID_REVIEW: what is wrong and how to put it right
 */
export function parseReview(body: Buffer): AdmissionRequest {
  const review = parseJson(body)
  if (!isObject(review)) {
    throw invalid('The body is not a JSON object', 'Post an AdmissionReview of admission.k8s.io/v1')
  }
  const version = own(review, 'apiVersion')
  if (own(review, 'kind') !== 'AdmissionReview' || version !== 'admission.k8s.io/v1') {
    if (version === 'admission.k8s.io/v1beta1') {
      throw invalid(
        'The review is of admission.k8s.io/v1beta1',
        'Set admissionReviewVersions: [v1] in the webhook configuration',
      )
    }
    throw invalid(
      'The body is not an AdmissionReview of admission.k8s.io/v1',
      'Check apiVersion and kind of what is posted',
    )
  }
  const request = own(review, 'request')
  if (!isObject(request)) {
    throw invalid('The review has no request', 'Post what the API server sends, not an answer')
  }
  const uid = own(request, 'uid')
  if (typeof uid !== 'string' || uid === '' || uid.length > 256) {
    throw invalid('request.uid is missing or no short text', 'The answer needs it')
  }
  const operation = own(request, 'operation')
  if (typeof operation !== 'string' || !OPERATIONS.has(operation)) {
    throw invalid('request.operation is none of CREATE, UPDATE, DELETE, CONNECT')
  }
  const kind = own(request, 'kind')
  if (!isObject(kind) || typeof own(kind, 'kind') !== 'string') {
    throw invalid('request.kind is missing', 'It needs group, version and kind')
  }
  const object = objectOrNothing(request, 'object')
  if (object === undefined && (operation === 'CREATE' || operation === 'UPDATE')) {
    throw invalid(`request.object is missing on ${operation}`)
  }
  return {
    uid,
    operation: operation as AdmissionRequest['operation'],
    kind: { group: text(kind, 'group'), kind: text(kind, 'kind') },
    subResource: text(request, 'subResource'),
    namespace: text(request, 'namespace'),
    name: text(request, 'name'),
    username: usernameOf(own(request, 'userInfo')),
    dryRun: own(request, 'dryRun') === true,
    object,
    oldObject: objectOrNothing(request, 'oldObject'),
  }
}

/** An own property, so that `constructor` and the like are never read from the prototype. */
export function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Whether a parsed JSON value is an object and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own property that is an object; an empty one when it is anything else. */
export function objectAt(object: JsonObject | undefined, key: string): JsonObject {
  const value = object && own(object, key)
  return isObject(value) ? value : {}
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) {
    throw invalid('The body is empty', 'Post an AdmissionReview of admission.k8s.io/v1')
  }
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new TagwardenError('ERR_INVALID_REVIEW', 'The body is not JSON', {
      remedy: 'Post an AdmissionReview of admission.k8s.io/v1',
      cause,
    })
  }
}

function objectOrNothing(request: JsonObject, key: string): JsonObject | undefined {
  const value = own(request, key)
  if (value === undefined || value === null) {
    return undefined
  }
  if (!isObject(value)) {
    throw invalid(`request.${key} is not an object`)
  }
  return value
}

function text(object: JsonObject, key: string): string {
  const value = own(object, key)
  return typeof value === 'string' ? value : ''
}

function usernameOf(userInfo: unknown): string {
  return isObject(userInfo) ? text(userInfo, 'username') : ''
}

function invalid(message: string, remedy?: string): TagwardenError {
  return new TagwardenError('ERR_INVALID_REVIEW', message, { remedy })
}
