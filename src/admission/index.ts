export { createDenialEvents, type Subject } from './denial_events.ts'
export {
  createReviewHandlers,
  type Hook,
  type ReviewHandler,
  type ReviewOptions,
  type ReviewSummary,
} from './handlers.ts'
export { CONTROLLER_ACCOUNTS, controllerReference } from './ownership.ts'
export { applyPatch, encodePatch, type PatchOperation } from './patch.ts'
export { doubtsInFiles } from './policy_doubts.ts'
export { createPolicyReviewHandler, type PolicyReviewOptions } from './policy_review.ts'
export { createRequest, type Preview, type PreviewedImage, preview } from './preview.ts'
export {
  type LiveObject,
  type Reapplication,
  type Reapplied,
  type ReappliedImage,
  reapply,
} from './reapply.ts'
export { HOLD_ANNOTATION, RECORD_ANNOTATION } from './record.ts'
export type { PulledObject } from './resolve.ts'
export { type AdmissionResponse, type ReviewAnswer, reviewAnswer } from './response.ts'
export { type AdmissionRequest, isObject, type JsonObject, own, parseReview } from './review.ts'
export { parseTraceparent, type TraceContext } from './trace_context.ts'
