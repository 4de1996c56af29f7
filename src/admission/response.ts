import type { PatchOperation } from './patch.ts'

/** What the webhook says; written as the `response` of an AdmissionReview. */
export interface AdmissionResponse {
  readonly uid: string
  readonly allowed: boolean
  readonly patch?: readonly PatchOperation[] | undefined
  readonly message?: string | undefined
  readonly warnings?: readonly string[] | undefined
  readonly auditAnnotations?: Readonly<Record<string, string>> | undefined
}

/** The body of the answer: an `AdmissionReview` of `admission.k8s.io/v1`. */
export function writeResponse(response: AdmissionResponse): string {
  const { uid, allowed, patch, message, warnings, auditAnnotations } = response
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed,
      ...(patch?.length && {
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      }),
      ...(message !== undefined && {
        status: { status: 'Failure', code: 403, reason: 'Forbidden', message },
      }),
      ...(warnings?.length && { warnings }),
      ...(auditAnnotations && { auditAnnotations }),
    },
  })
}
