import type { CompiledException } from '../policies/types.ts'
import { type Inquiry, lack, manifestNeed } from './inquiry.ts'
import { isOfTag, STALE_MS } from './judge.ts'
import type { Finding } from './types.ts'
import { formatMoment } from './words.ts'

/** A reason is shown this far; the whole stands in the exception. */
const SHOWN = 200

/** What would deny, as a warning, where an exception that counts now lifts its policy. */
export function lift(inquiry: Inquiry, finding: Finding): Finding {
  const { policy, enforcement } = finding
  const { exceptions } = inquiry.question
  if (exceptions.length === 0 || enforcement !== 'Enforce' || policy === undefined) {
    return finding
  }
  const exception = exceptions.find(
    (each) => inquiry.facts.now < each.expires && each.lifts(policy) && isProven(inquiry, each),
  )
  if (exception === undefined) {
    return finding
  }
  const { title, expires, reason } = exception
  const shown = reason.length > SHOWN ? `${reason.slice(0, SHOWN - 1)}…` : reason
  const message = `${finding.message} Let through by ${title} until ${formatMoment(expires)} (${shown}).`
  return { ...finding, enforcement: 'Warn', message, exception }
}

/**
 * An exception for some tags is for `tag@digest` only where the digest is the tag's: else any
 * image could take the tag's name.
 */
function isProven(inquiry: Inquiry, exception: CompiledException): boolean {
  const { image } = inquiry.question
  const { tag, digest } = image
  if (digest === undefined || tag === undefined || exception.covers(image) === 'repository') {
    return true
  }
  if (isOfTag(inquiry, tag, digest)) {
    return true
  }
  const fact = inquiry.snapshot?.manifest(tag)
  if (!fact || inquiry.facts.now - fact.checkedAt > STALE_MS) {
    lack(inquiry, manifestNeed(inquiry, tag))
  }
  return false
}
