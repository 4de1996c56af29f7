/** What the webhook says; written as the `response` of an AdmissionReview. */
export interface AdmissionResponse {
  readonly uid: string
  readonly allowed: boolean
  /** a JSON Patch in Base64; undefined: nothing changes */
  readonly patch?: string | undefined
  readonly message?: string | undefined
  readonly warnings?: readonly string[] | undefined
  readonly auditAnnotations?: Readonly<Record<string, string>> | undefined
}

/** Status and body for the HTTP answer. */
export interface ReviewAnswer {
  readonly status: number
  readonly body: string
}

/** The answer to a review: an `AdmissionReview` of `admission.k8s.io/v1`. */
export function reviewAnswer(response: AdmissionResponse): ReviewAnswer {
  const { uid, allowed, patch, message, warnings, auditAnnotations } = response
  let body = `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":${JSON.stringify(uid)},"allowed":${allowed}`
  if (patch !== undefined) {
    // Base64 needs no escaping: leaving it out of JSON.stringify saves a walk over it.
    body += `,"patchType":"JSONPatch","patch":"${patch}"`
  }
  if (message !== undefined) {
    const status = { status: 'Failure', code: 403, reason: 'Forbidden', message }
    body += `,"status":${JSON.stringify(status)}`
  }
  if (warnings?.length) {
    body += `,"warnings":${JSON.stringify(warnings)}`
  }
  if (auditAnnotations) {
    body += `,"auditAnnotations":${JSON.stringify(auditAnnotations)}`
  }
  return { status: 200, body: `${body}}}` }
}
