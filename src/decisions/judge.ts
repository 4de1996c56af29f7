import type { ImageReference } from '../images/types.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import type { TagReason } from '../tags/types.ts'
import { best, firstSeen, follows, isGone, standing } from './candidates.ts'
import {
  type Inquiry,
  isOwnerJudged,
  type Lack,
  lack,
  manifestNeed,
  repositoryNeed,
} from './inquiry.ts'
import type { FactFailure } from './ports.ts'
import { digestsOf } from './ranking.ts'
import type { Finding } from './types.ts'
import { formatSpan, outdated, unavailable, violation } from './words.ts'

/** A manifest fact older than this is confirmed before it is used to deny. */
export const STALE_MS = 30_000

/** Untagged or `:latest`, without a digest. */
export function isLatest(image: ImageReference): boolean {
  return image.digest === undefined && (image.tag === undefined || image.tag === 'latest')
}

/**
 * Judges the image as it stands by one policy; facts that are lacking are noted on the inquiry.
 *
 * @returns what is wrong or worth saying; empty when the policy permits it
 */
export function judge(inquiry: Inquiry, policy: CompiledPolicy): Finding[] {
  const { image } = inquiry.question
  if (policy.whenRegistryFails === 'Deny') {
    const denied = outdated(inquiry, policy)
    if (denied) {
      return [denied]
    }
  }
  if (image.digest !== undefined) {
    return judgeDigest(inquiry, policy, image.digest)
  }
  if (isLatest(image) && !follows(policy, 'latest')) {
    return [violation(inquiry, policy, 'LatestTag', '')]
  }
  return judgeTag(inquiry, policy, image.tag ?? 'latest')
}

function judgeTag(inquiry: Inquiry, policy: CompiledPolicy, tag: string): Finding[] {
  const { snapshot } = inquiry
  const order = policy.selector.rule.order
  if ('digest' in order && 'allowed' in order.digest && !snapshot?.manifest(tag)) {
    return lacking(inquiry, policy, tag, lack(inquiry, manifestNeed(inquiry, tag)), true)
  }
  const verdict = policy.selector.judge(tag, digestsOf(snapshot))
  if (!verdict.permitted) {
    return [violation(inquiry, policy, verdict.reason, wrongWith(policy, tag, verdict.reason))]
  }
  const dependent = policy.minimumAge > 0 || policy.platforms.length > 0
  if (!snapshot || snapshot.scannedAt === 0) {
    const answer = lack(inquiry, repositoryNeed(inquiry))
    if (!snapshot?.manifest(tag)) {
      return lacking(inquiry, policy, tag, answer, dependent)
    }
  } else if (!exists(inquiry, tag) || isGone(inquiry, tag)) {
    return lacking(inquiry, policy, tag, lack(inquiry, manifestNeed(inquiry, tag)), dependent)
  }
  return [...judgeStanding(inquiry, policy, tag), ...judgeMoved(inquiry, policy, tag)]
}

/** In the list of tags, or confirmed by the registry since that list was read. */
function exists(inquiry: Inquiry, tag: string): boolean {
  const { snapshot } = inquiry
  if (!snapshot || snapshot.has(tag)) {
    return snapshot !== undefined
  }
  return (snapshot.manifest(tag)?.checkedAt ?? -1) >= snapshot.scannedAt
}

/**
 * What a lacking fact means for the verdict on a tag. A permitted name whose verdict depends on
 * nothing else passes although the registry fails: it did no wrong.
 */
function lacking(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  tag: string,
  answer: Lack,
  dependent: boolean,
): Finding[] {
  if (answer === 'asked') {
    return []
  }
  if (answer.code === 'ERR_REGISTRY_NOT_FOUND') {
    return [
      violation(inquiry, policy, 'TagNotFound', `The registry has no ${tag}: ${answer.message}`, {
        cause: answer,
      }),
    ]
  }
  if (!dependent && policy.whenRegistryFails !== 'Deny') {
    return []
  }
  return [unavailable(policy, answer, `to look at ${tag}`)]
}

function judgeStanding(inquiry: Inquiry, policy: CompiledPolicy, tag: string): Finding[] {
  const known = standing(inquiry, policy, tag)
  if (known === 'TooYoung') {
    const age = inquiry.facts.now - firstSeen(inquiry, tag)
    return [
      violation(
        inquiry,
        policy,
        'TooYoung',
        `${tag} was first seen ${formatSpan(age)} ago and is permitted at ${formatSpan(policy.minimumAge)}, in ${formatSpan(policy.minimumAge - age)}`,
      ),
    ]
  }
  if (known === 'unknown') {
    const answer = lack(inquiry, manifestNeed(inquiry, tag))
    return lacking(inquiry, policy, tag, answer, true)
  }
  if (known === 'PlatformMissing') {
    const there = inquiry.snapshot?.manifest(tag)?.platforms ?? []
    const missing = policy.platforms.filter((platform) => !there.includes(platform))
    return [
      violation(
        inquiry,
        policy,
        'PlatformMissing',
        `${tag} is not there for ${missing.join(', ')}`,
      ),
    ]
  }
  return []
}

/** A tag that points elsewhere than when it was first seen. */
function judgeMoved(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  tag: string,
  digest = inquiry.snapshot?.manifest(tag)?.digest,
): Finding[] {
  const history = inquiry.snapshot?.history(tag) ?? []
  const first = history[0]
  const tolerated = policy.movedTags === 'Allow' || follows(policy, tag)
  if (tolerated || !first || !digest || digest === first.digest) {
    return []
  }
  const since = history.find((seen) => seen.digest === digest) ?? history.at(-1) ?? first
  const wrong = `${tag} was ${first.digest.slice(0, 19)}… when it was first seen and became ${digest.slice(0, 19)}… ${formatSpan(inquiry.facts.now - since.firstSeen)} ago`
  const weaker = policy.movedTags === 'Warn' && policy.enforcement === 'Enforce'
  return [
    violation(inquiry, policy, 'TagMoved', wrong, {
      enforcement: weaker ? 'Warn' : policy.enforcement,
    }),
  ]
}

function judgeDigest(inquiry: Inquiry, policy: CompiledPolicy, digest: string): Finding[] {
  const { image } = inquiry.question
  const order = policy.selector.rule.order
  if ('digest' in order && 'allowed' in order.digest) {
    return order.digest.allowed.includes(digest)
      ? []
      : [violation(inquiry, policy, 'DigestNotAllowed', 'The digest is not in the allowed list')]
  }
  const tag = image.tag
  if (tag !== undefined && (tag !== 'latest' || policy.selector.judge(tag).permitted)) {
    const verdict = policy.selector.judge(tag)
    return verdict.permitted
      ? judgePinned(inquiry, policy, tag, digest)
      : [violation(inquiry, policy, verdict.reason, wrongWith(policy, tag, verdict.reason))]
  }
  return judgeBare(inquiry, policy, digest)
}

/** Whether the index knows that a tag has or had a digest. */
export function isOfTag({ snapshot }: Inquiry, tag: string, digest: string): boolean {
  return (
    snapshot?.manifest(tag)?.digest === digest ||
    snapshot?.history(tag).some((seen) => seen.digest === digest) === true
  )
}

/** `tag@digest`: the digest must be, or have been, the tag's. */
function judgePinned(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  tag: string,
  digest: string,
): Finding[] {
  const { snapshot, facts } = inquiry
  const fact = snapshot?.manifest(tag)
  // An owner that was admitted before Tagwarden saw the tag move or go must still get its pods.
  const tolerated = isOwnerJudged(inquiry, policy) && policy.movedTags !== 'Deny'
  const stranger = (
    reason: 'DigestUnknown' | 'DigestMismatch',
    wrong: string,
    cause?: FactFailure,
  ) => {
    const finding = violation(inquiry, policy, reason, wrong, cause ? { cause } : {})
    const weaker = tolerated && finding.enforcement === 'Enforce'
    return [weaker ? { ...finding, enforcement: 'Warn' as const } : finding]
  }
  if (isOfTag(inquiry, tag, digest)) {
    return [...judgeStanding(inquiry, policy, tag), ...judgeMoved(inquiry, policy, tag, digest)]
  }
  if (!fact || facts.now - fact.checkedAt > STALE_MS) {
    if (!snapshot) {
      lack(inquiry, repositoryNeed(inquiry))
    }
    const answer = lack(inquiry, manifestNeed(inquiry, tag))
    if (answer === 'asked' || answer.code !== 'ERR_REGISTRY_NOT_FOUND') {
      return lacking(inquiry, policy, tag, answer, true)
    }
    const wrong = `The registry has no ${tag} any more, and the digest was never seen there`
    return stranger('DigestUnknown', wrong, answer)
  }
  return stranger(
    'DigestMismatch',
    `${tag} is ${fact.digest}, and never was the digest that stands here`,
  )
}

/** A digest without a tag: it must be, or have been, some permitted tag's. */
function judgeBare(inquiry: Inquiry, policy: CompiledPolicy, digest: string): Finding[] {
  const { snapshot } = inquiry
  const order = policy.selector.rule.order
  const permitted = (tag: string) => policy.selector.judge(tag).permitted
  const tags = (snapshot?.tagsOf(digest) ?? []).filter(permitted)
  if (tags.length > 0) {
    const findings = tags.map((tag) => [
      ...judgeStanding(inquiry, policy, tag),
      ...judgeMoved(inquiry, policy, tag, digest),
    ])
    const isGood = (list: Finding[]) => list.length === 0
    const isWarning = (list: Finding[]) => list.every((each) => each.enforcement !== 'Enforce')
    return findings.find(isGood) ?? findings.find(isWarning) ?? findings[0] ?? []
  }
  const wrong = 'No permitted tag is known to have this digest. Write the tag before the digest'
  const unknown = () => [violation(inquiry, policy, 'DigestUnknown', wrong)]
  if ('digest' in order && 'follow' in order.digest) {
    const answer = lackFresh(inquiry, order.digest.follow)
    return answer ? lacking(inquiry, policy, order.digest.follow, answer, true) : unknown()
  }
  if (!snapshot || snapshot.scannedAt === 0) {
    const answer = lack(inquiry, repositoryNeed(inquiry))
    return answer === 'asked' || answer.code !== 'ERR_REGISTRY_NOT_FOUND'
      ? lacking(inquiry, policy, digest, answer, true)
      : unknown()
  }
  return judgeElsewhere(inquiry, policy, digest, permitted, unknown)
}

/**
 * Another replica may have resolved the digest, from a tag whose manifest nobody asked for here.
 * The registry is asked for the two tags that it may be: the one that the object names, and the one
 * that would be chosen now.
 */
function judgeElsewhere(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  digest: string,
  permitted: (tag: string) => boolean,
  unknown: () => Finding[],
): Finding[] {
  const { hint } = inquiry.question
  const tags = new Set([hint, best(inquiry, policy)?.tag])
  let failure: FactFailure | undefined
  let asked = false
  for (const tag of tags) {
    if (tag === undefined || !permitted(tag)) continue
    const answer = lackFresh(inquiry, tag)
    if (answer === 'asked') asked = true
    else if (answer && answer.code !== 'ERR_REGISTRY_NOT_FOUND') failure = answer
  }
  if (asked) return []
  return failure ? lacking(inquiry, policy, digest, failure, true) : unknown()
}

/** Asks for a tag's manifest unless it was confirmed just now. */
function lackFresh(inquiry: Inquiry, tag: string): Lack | undefined {
  const fact = inquiry.snapshot?.manifest(tag)
  if (fact && inquiry.facts.now - fact.checkedAt <= STALE_MS) {
    return undefined
  }
  return lack(inquiry, manifestNeed(inquiry, tag))
}

/** What is wrong with a tag, for the reasons where the policy's own words do not say it. */
function wrongWith(policy: CompiledPolicy, tag: string, reason: TagReason): string {
  const rule = policy.selector.rule
  switch (reason) {
    case 'NotMatched':
      return `${tag} does not match ${rule.pattern ?? 'the pattern'}`
    case 'Ignored':
      return `${tag} matches the policy's ignore list`
    case 'Artifact':
      return `${tag} names a signature or attestation, not an image`
    case 'NotAVersion':
      return `${tag} is not a version of three numbers`
    case 'NotANumber':
      return `${tag} is not a decimal number`
    case 'Prerelease':
      return `${tag} is a prerelease, which neither the range nor the allow list names`
    case 'DigestNotAllowed':
      return `The digest of ${tag} is not in the allowed list`
    default:
      return ''
  }
}
