export {
  createReviewHandlers,
  type Hook,
  type ReviewAnswer,
  type ReviewHandler,
  type ReviewOptions,
  type ReviewSummary,
} from './handlers.ts'
export type { PatchOperation } from './patch.ts'
export {
  type LiveObject,
  type Reapplication,
  type Reapplied,
  type ReappliedImage,
  reapply,
} from './reapply.ts'
export { HOLD_ANNOTATION, RECORD_ANNOTATION } from './record.ts'
