export {
  createReviewHandlers,
  type Hook,
  type ReviewAnswer,
  type ReviewHandler,
  type ReviewOptions,
  type ReviewSummary,
} from './handlers.ts'
export { HOLD_ANNOTATION, RECORD_ANNOTATION } from './record.ts'
