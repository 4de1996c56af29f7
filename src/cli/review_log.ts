import { parseTraceparent, type ReviewSummary } from '../admission/index.ts'
import type { Log } from './log.ts'

/** One line for each review: a denial at info, any other at debug. */
export function logReview(log: Log, review: ReviewSummary): void {
  const denied = review.verdict === 'denied'
  if (!log.isLevelEnabled(denied ? 'info' : 'debug')) {
    return
  }
  const { hook, object, verdict, request, decisions, took } = review
  const fields = {
    hook,
    object,
    verdict,
    operation: request.operation,
    user: request.username,
    dryRun: request.dryRun,
    reasons: [
      ...new Set(decisions.flatMap(({ findings }) => findings.map(({ reason }) => reason))),
    ],
    took,
    ...parseTraceparent(review.traceparent),
  }
  if (denied) {
    log.info({ ...fields, message: review.message }, 'denied')
  } else {
    log.debug(fields, 'reviewed')
  }
}
