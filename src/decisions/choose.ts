import { parseReference, respell } from '../images/index.ts'
import type { Work } from '../pieces/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import type { Candidate } from '../tags/types.ts'
import { bestProven } from './candidates.ts'
import { listedDigests } from './digest_rule.ts'
import { type Inquiry, lack, manifestNeed, repositoryNeed } from './inquiry.ts'
import { isLatest, judge } from './judge.ts'
import { canBePassed, digestsOf, ranksAbove } from './ranking.ts'
import { runningTag } from './running_tag.ts'
import type { Change, Finding, Previous } from './types.ts'
import { tooSlow, unavailable, violation } from './words.ts'

/** What the mover makes of an image: a change, a finding that forbids one, or neither. */
export interface Choice {
  readonly change?: Change | undefined
  readonly findings: readonly Finding[]
}

/** Of a list of digests, so many are tried for what may be `latest`. */
const MOST_LISTED = 16

const NOTHING: Choice = { findings: [] }

/**
 * Chooses what the mover policy makes of an image that is judged good (or is to be resolved from
 * `latest`).
 */
export function* choose(inquiry: Inquiry, mover: CompiledPolicy): Work<Choice> {
  const { question } = inquiry
  const { previous } = question
  if (previous?.record?.requested === question.image.original) {
    return yield* again(inquiry, mover, previous)
  }
  if (question.immutable) {
    return NOTHING
  }
  const listed = listedDigests(mover)
  if (listed && isLatest(question.image)) {
    return yield* firstListed(inquiry, mover, listed)
  }
  const moves = tracks(inquiry, mover) || isLatest(question.image)
  const wanted = moves ? yield* newest(inquiry, mover) : asRequested(inquiry, mover)
  if (!('candidate' in wanted)) {
    return wanted
  }
  const back = yield* backwards(inquiry, mover, wanted.candidate)
  return back ?? resolved(inquiry, mover, wanted.candidate)
}

/** Whether the mover moves tags for this workload, rather than only adding their digest. */
function tracks(inquiry: Inquiry, mover: CompiledPolicy): boolean {
  return mover.action === 'Track' && !inquiry.question.hold && !listedDigests(mover)
}

/**
 * The same request as last time: Pin keeps its digest, Track moves to what is newer, or keeps. What
 * the promoter moves at its own pace only goes back here: a tool that applies all the time must not
 * get ahead of windows and canaries.
 */
function* again(inquiry: Inquiry, mover: CompiledPolicy, previous: Previous): Work<Choice> {
  const { question, snapshot } = inquiry
  const now = previous.image
  const kept = keep(inquiry, mover, previous)
  const paced = isPaced(inquiry, mover)
  if (question.immutable || !tracks(inquiry, mover) || (paced && !mover.allowDowngrade)) {
    return kept
  }
  const wanted = yield* newest(inquiry, mover)
  if (!('candidate' in wanted)) {
    return kept
  }
  const { tag } = wanted.candidate
  const order = mover.selector.rule.order
  if ('digest' in order) {
    const digest = snapshot?.manifest(tag)?.digest
    const isOther =
      mover.reference === 'Tag' ? tag !== now.tag : digest !== undefined && digest !== now.digest
    return isOther && !paced ? resolved(inquiry, mover, wanted.candidate) : kept
  }
  const from = runningTag(previous, mover, snapshot)
  const rolledBackFrom = previous.record?.rolledBackFrom
  const moves = from !== undefined && from !== tag
  // What runs may be ruled out by now: something newer than that is waited for all the same.
  const newer = moves && mover.selector.outranks(tag, from)
  const wantsIt = moves && (newer ? !paced : mover.allowDowngrade)
  const beyond =
    rolledBackFrom === undefined ||
    !canBePassed(mover.selector, rolledBackFrom) ||
    mover.selector.outranks(tag, rolledBackFrom)
  if (!wantsIt || !beyond) {
    return kept
  }
  const moved = resolved(inquiry, mover, wanted.candidate)
  // A move that fails for want of facts leaves what is there.
  return moved.change ? moved : kept
}

/** Whether the promoter moves this, and not at once. */
function isPaced({ question }: Inquiry, { promote, promotion }: CompiledPolicy): boolean {
  const { windows, maxPerMinute, canary } = promotion
  const limited = windows.length > 0 || maxPerMinute > 0 || canary > 0
  return limited && question.promoted && promote === 'Continuously'
}

/** What runs, for the request that it came from. */
export function keep({ question }: Inquiry, mover: CompiledPolicy, previous: Previous): Choice {
  const { tag, digest } = previous.image
  const verdict = tag === undefined ? undefined : mover.selector.judge(tag)
  const candidate = verdict?.permitted ? verdict : undefined
  return {
    findings: [],
    change: {
      to: respell(question.image, { tag, digest }),
      tag,
      digest,
      version: candidate?.version ?? tag ?? digest ?? '',
      build: candidate?.build,
      policy: mover,
      kept: true,
    },
  }
}

/** Resolving anew must not take a workload to an older version than it runs. */
function* backwards(
  inquiry: Inquiry,
  mover: CompiledPolicy,
  to: Candidate,
): Work<Choice | undefined> {
  const { image, previous, restored, hold } = inquiry.question
  // who holds a workload says which version it runs
  if (hold && !isLatest(image)) return undefined
  if (!previous || previous.image.name !== image.name || restored || mover.allowDowngrade) {
    return undefined
  }
  const from = runningTag(previous, mover, inquiry.snapshot)
  if (mover.action !== 'Track' || !from || !ranksAbove(mover.selector, from, to.tag)) {
    return undefined
  }
  const kept = keep(inquiry, mover, previous)
  const wrong = `${from} runs and is kept, since allowDowngrade is not set`
  const options = { enforcement: 'Warn' } as const
  return { ...kept, findings: [yield* violation(inquiry, mover, 'Downgrade', wrong, options)] }
}

/**
 * The first digest of a list that the other policies permit, without a tag: which tags have it
 * depends on what the index has been asked for.
 */
function* firstListed(
  inquiry: Inquiry,
  mover: CompiledPolicy,
  digests: readonly string[],
): Work<Choice> {
  const { question } = inquiry
  const others = question.policies.filter((policy) => policy !== mover)
  for (const digest of digests.slice(0, MOST_LISTED)) {
    const to = respell(question.image, { digest })
    const asked = { ...inquiry, question: { ...question, image: parseReference(to) } }
    let isPermitted = true
    for (const policy of others) {
      const findings = yield* judge(asked, policy)
      isPermitted &&= findings.every(({ enforcement }) => enforcement !== 'Enforce')
      yield
    }
    if (isPermitted) {
      const change = { to, tag: undefined, digest, version: digest, build: undefined }
      return { findings: [], change: { ...change, policy: mover, kept: false } }
    }
  }
  return { findings: [yield* violation(inquiry, mover, 'NoPermittedTag', '')] }
}

type Wanted = { readonly candidate: Candidate } | Choice

function* newest(inquiry: Inquiry, mover: CompiledPolicy): Work<Wanted> {
  const { question, snapshot } = inquiry
  if (!snapshot || snapshot.scannedAt === 0) {
    const answer = lack(inquiry, repositoryNeed(inquiry))
    if (answer === 'asked') {
      return NOTHING
    }
    return { findings: [unavailable(mover, answer, 'the newest permitted tag')] }
  }
  if (inquiry.facts.late) return { findings: [tooSlow(inquiry, mover)] }
  const best = yield* bestProven(inquiry, mover)
  if (best && 'lack' in best) {
    return best.lack === 'asked'
      ? NOTHING
      : { findings: [unavailable(mover, best.lack, 'the newest permitted tag')] }
  }
  const requested = isLatest(question.image) ? undefined : question.image.tag
  const verdict = requested === undefined ? undefined : mover.selector.judge(requested)
  if (verdict?.permitted && !snapshot.has(verdict.tag)) {
    if (!best || ranksAbove(mover.selector, verdict.tag, best.candidate.tag)) {
      return { candidate: verdict }
    }
  }
  return best ?? { findings: [yield* violation(inquiry, mover, 'NoPermittedTag', '')] }
}

function asRequested(inquiry: Inquiry, mover: CompiledPolicy): Wanted {
  const tag = inquiry.question.image.tag ?? 'latest'
  const verdict = mover.selector.judge(tag, digestsOf(inquiry.snapshot))
  return verdict.permitted ? { candidate: verdict } : NOTHING
}

/** Writes the chosen tag in the form that the policy asks for; that may need its digest. */
function resolved(inquiry: Inquiry, mover: CompiledPolicy, chosen: Candidate): Choice {
  const { image } = inquiry.question
  const { tag, version, build } = chosen
  let digest: string | undefined
  if (mover.reference !== 'Tag') {
    digest = inquiry.snapshot?.manifest(tag)?.digest
    if (digest === undefined) {
      const answer = lack(inquiry, manifestNeed(inquiry, tag))
      return answer === 'asked'
        ? NOTHING
        : { findings: [unavailable(mover, answer, `the digest of ${tag}`)] }
    }
  }
  const to = respell(image, mover.reference === 'Digest' ? { digest } : { tag, digest })
  return { findings: [], change: { to, tag, digest, version, build, policy: mover, kept: false } }
}
