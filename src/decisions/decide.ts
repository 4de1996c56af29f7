import { finish, type Work } from '../pieces/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import { type Choice, choose, keep } from './choose.ts'
import { isCrowded, tooManyPolicies } from './crowd.ts'
import { followedTag } from './digest_rule.ts'
import { type Inquiry, isOwnerJudged } from './inquiry.ts'
import { isLatest, judge } from './judge.ts'
import { lift } from './lift.ts'
import type { Facts } from './ports.ts'
import { canBePassed } from './ranking.ts'
import { moves } from './rivals.ts'
import { runningTag } from './running_tag.ts'
import type { Decision, Finding, Previous, Question, ReasonCode } from './types.ts'
import { judgeUnmatched } from './unmatched.ts'
import { outdated, violation } from './words.ts'

/** By so many policies an image is judged before others may go first. */
const AT_ONCE = 16

/**
 * Decides on one image: whether it is permitted, and what it becomes. Every door asks this
 * function. It is total and synchronous: facts that it lacks are named in `needs`; the caller
 * gathers them and asks again.
 *
 * @example
 *   const decision = decide(question, { snapshot: (name) => catalog.get(name), failure, now })
 *   if (decision.findings.some((finding) => finding.enforcement === 'Enforce')) deny(decision)
 */
export function decide(question: Question, facts: Facts): Decision {
  return finish(deciding(question, facts))
}

/**
 * What decide() does, as work that can be laid down: thousands of tags may have to be ranked, and
 * looked at by the rules of fifty policies.
 */
export function* deciding(question: Question, facts: Facts): Work<Decision> {
  const { image, policies } = question
  const snapshot = facts.snapshot(image.name)
  const inquiry: Inquiry = { question, facts, snapshot, needs: [], wishes: [] }
  if (policies.length === 0) {
    return answer(inquiry, undefined, { findings: judgeUnmatched(question) })
  }
  if (isCrowded(policies)) {
    return answer(inquiry, undefined, { findings: [tooManyPolicies(policies)] })
  }
  const mover = question.mode === 'judge' || question.unchanged ? undefined : moverOf(policies)
  // `latest` may be what it was resolved to, where a policy follows it and writes tags only
  const isResult = mover !== undefined && question.restored && followedTag(mover) === 'latest'
  if (mover?.latest === 'Resolve' && isLatest(image) && !isResult) {
    return answer(inquiry, mover, yield* resolveLatest(inquiry, mover))
  }
  const judged = yield* judgeAll(inquiry, policies)
  // before echoes are dropped: an exception may lift one policy and not the other
  const findings = withoutEchoes(judged.map((finding) => weaken(inquiry, finding)))
  if (mover && !findings.some((finding) => finding.reason === 'RegistryUnavailable')) {
    const old = outdated(inquiry, mover)
    if (old) findings.push(old)
  }
  if (!mover || image.digest !== undefined || (question.restored && mover.reference === 'Tag')) {
    return answer(inquiry, mover, { findings })
  }
  const violations = judged.filter(
    ({ reason, enforcement }) => enforcement === 'Enforce' || !REMARKS.has(reason),
  )
  if (violations.length === 0) {
    const choice = yield* withoutConflict(inquiry, mover)
    return answer(inquiry, mover, { ...choice, findings: [...findings, ...choice.findings] })
  }
  const again = repeated(question)
  if (again === undefined) {
    return answer(inquiry, mover, { findings })
  }
  const isGone = violations.every(({ reason }) => reason === 'TagNotFound')
  const choice = isGone ? yield* withoutConflict(inquiry, mover) : keep(inquiry, mover, again)
  const excused = findings.map(excuse)
  return answer(inquiry, mover, { ...choice, findings: [...excused, ...choice.findings] })
}

/**
 * What a workload runs that is asked for the same as last time, and got something else. It keeps
 * that, so that nothing of the request itself will run: whatever has become of the request since
 * is no reason to refuse the update. One that only the registry lost may move on, too.
 */
function repeated({ mode, image, previous }: Question): Previous | undefined {
  const isSame = previous?.record?.requested === image.original
  const isOther = previous?.image.original !== image.original
  return mode === 'resolve' && isSame && isOther ? previous : undefined
}

function excuse(finding: Finding): Finding {
  if (finding.enforcement !== 'Enforce') return finding
  const message = `${finding.message} It is no new request, so the update is let through.`
  return { ...finding, enforcement: 'Warn', message }
}

function* judgeAll(inquiry: Inquiry, policies: readonly CompiledPolicy[]): Work<Finding[]> {
  const findings: Finding[] = []
  for (const [index, policy] of policies.entries()) {
    findings.push(...(yield* judge(inquiry, policy)))
    if (index % AT_ONCE === AT_ONCE - 1) yield
  }
  return findings
}

/** What a second policy says of `latest` is what the first one said. */
function withoutEchoes(findings: Finding[]): Finding[] {
  const first = findings.find(({ reason }) => reason === 'LatestTag')
  return findings.filter(
    (finding) =>
      finding === first ||
      finding.reason !== 'LatestTag' ||
      finding.enforcement !== first?.enforcement,
  )
}

/** Findings that do not keep an image from being resolved. */
export const REMARKS: ReadonlySet<string> = new Set(['TagMoved', 'RegistryUnavailable', 'Timeout'])

/** The policy that may move the image. One that only audits never does. */
function moverOf(policies: readonly CompiledPolicy[]): CompiledPolicy | undefined {
  return policies.find(moves)
}

/** What stays `latest` is judged by all other policies: the mover may only warn. */
function* resolveLatest(inquiry: Inquiry, mover: CompiledPolicy): Work<Choice> {
  const { mode, policies } = inquiry.question
  const choice = yield* withoutConflict(inquiry, mover)
  const resolves = mode === 'resolve'
  if (resolves && choice.change) {
    return choice
  }
  const wrong = 'The mutating webhook did not resolve it, and this one can only judge'
  const isMissed = choice.change !== undefined || (!resolves && choice.findings.length === 0)
  const own = isMissed ? [yield* violation(inquiry, mover, 'LatestTag', wrong)] : choice.findings
  const others = policies.filter((policy) => policy !== mover)
  const findings = [...own, ...(yield* judgeAll(inquiry, others))]
  return { findings: withoutEchoes(findings.map((finding) => weaken(inquiry, finding))) }
}

/** The mover's choice, unless another policy of the same rank would choose differently. */
function* withoutConflict(inquiry: Inquiry, mover: CompiledPolicy): Work<Choice> {
  const choice = yield* choose(inquiry, mover)
  if (!choice.change || choice.change.kept) {
    return choice
  }
  const { image, policies } = inquiry.question
  for (const rival of policies) {
    const equal =
      rival !== mover &&
      moves(rival) &&
      rival.kind === mover.kind &&
      rival.specificity(image.name) === mover.specificity(image.name)
    const other = equal ? (yield* choose(inquiry, rival)).change?.to : undefined
    if (other !== undefined && other !== choice.change.to) {
      const wrong = `${mover.title} would make it ${choice.change.to}, and ${rival.title}, which is as specific, ${other}. Make one of them more specific, or give both the same rule`
      const { enforcement } = mover.enforcement === 'Enforce' ? mover : rival
      const finding = yield* violation(inquiry, mover, 'PolicyConflict', wrong, { enforcement })
      return { findings: [{ ...finding, use: undefined }] }
    }
  }
  return choice
}

function answer(inquiry: Inquiry, mover: CompiledPolicy | undefined, choice: Choice): Decision {
  const { question, needs, wishes } = inquiry
  const quiet = question.unchanged
  return {
    image: question.image,
    policies: question.policies,
    mover,
    findings: choice.findings.map((finding) => weaken(inquiry, finding)),
    change: choice.change,
    rolledBackFrom: rolledBackFrom(inquiry, mover, choice),
    needs: quiet ? [] : needs,
    wishes: quiet ? [] : wishes,
  }
}

/** The registry's doing, and no fault of the image. */
const OUTSIDE: ReadonlySet<ReasonCode> = new Set(['RegistryUnavailable', 'Timeout', 'TagNotFound'])

/**
 * A violation that was there before only warns; so does what a registry lacks or fails at on an
 * object whose owner has been admitted, and what an exception lifts.
 */
function weaken(inquiry: Inquiry, finding: Finding): Finding {
  const { question } = inquiry
  if (finding.enforcement !== 'Enforce') {
    return finding
  }
  const outside = OUTSIDE.has(finding.reason)
  const lenient = outside || question.defaults.ownedObjects === 'Warn'
  const warns = question.unchanged || (lenient && isOwnerJudged(inquiry, finding.policy))
  return warns ? { ...finding, enforcement: 'Warn' } : lift(inquiry, finding)
}

/** The newest version that this container was taken back from, for as long as it stays back. */
function rolledBackFrom(
  inquiry: Inquiry,
  mover: CompiledPolicy | undefined,
  choice: Choice,
): string | undefined {
  const { image, previous } = inquiry.question
  if (!mover || !previous?.record || mover.action !== 'Track') {
    return undefined
  }
  const before = previous.record.rolledBackFrom
  if (choice.change) {
    return choice.change.kept ? before : undefined
  }
  const now = runningTag({ image, record: undefined }, mover, inquiry.snapshot)
  const was = runningTag(previous, mover, inquiry.snapshot)
  if (now === undefined || image.name !== previous.image.name) {
    return undefined
  }
  const { selector } = mover
  const above = [before, was].flatMap((tag) =>
    tag !== undefined && canBePassed(selector, tag) ? tag : [],
  )
  const newest = above.reduce<string | undefined>(
    (top, tag) => (top !== undefined && selector.outranks(top, tag) ? top : tag),
    undefined,
  )
  return newest !== undefined && selector.outranks(newest, now) ? newest : undefined
}
