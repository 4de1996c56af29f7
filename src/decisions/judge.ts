import type { ImageReference } from '../images/types.ts'
import { eachOf, type Work } from '../pieces/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import { best, firstSeen, isGone, movedTo, standing } from './candidates.ts'
import { followedTag, listedDigests } from './digest_rule.ts'
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
import { wrongWith } from './refused_tag.ts'
import type { Finding } from './types.ts'
import { formatSpan, outdated, tooSlow, unavailable, violation } from './words.ts'

/** A manifest fact older than this is confirmed before it is used to deny. */
export const STALE_MS = 30_000
/** So many tags of one digest are judged before others may go first. */
const AT_ONCE = 16

/** Untagged or `:latest`, without a digest. */
export function isLatest(image: ImageReference): boolean {
  return image.digest === undefined && (image.tag === undefined || image.tag === 'latest')
}

/**
 * Judges the image as it stands by one policy; facts that are lacking are noted on the inquiry.
 *
 * @returns what is wrong or worth saying; empty when the policy permits it
 */
export function* judge(inquiry: Inquiry, policy: CompiledPolicy): Work<Finding[]> {
  const { image } = inquiry.question
  if (policy.whenRegistryFails === 'Deny') {
    const denied = outdated(inquiry, policy)
    if (denied) {
      return [denied]
    }
  }
  if (image.digest !== undefined) {
    return yield* judgeDigest(inquiry, policy, image.digest)
  }
  if (isLatest(image) && followedTag(policy) !== 'latest') {
    return [yield* violation(inquiry, policy, 'LatestTag', '')]
  }
  return yield* judgeTag(inquiry, policy, image.tag ?? 'latest')
}

function* judgeTag(inquiry: Inquiry, policy: CompiledPolicy, tag: string): Work<Finding[]> {
  const { snapshot } = inquiry
  if (listedDigests(policy) && !snapshot?.manifest(tag)) {
    return yield* lacking(inquiry, policy, tag, lack(inquiry, manifestNeed(inquiry, tag)), true)
  }
  const verdict = policy.selector.judge(tag, digestsOf(snapshot))
  if (!verdict.permitted) {
    return [
      yield* violation(inquiry, policy, verdict.reason, wrongWith(policy, tag, verdict.reason)),
    ]
  }
  const dependent = policy.minimumAge > 0 || policy.platforms.length > 0
  if (!snapshot || snapshot.scannedAt === 0) {
    const answer = lack(inquiry, repositoryNeed(inquiry))
    if (!snapshot?.manifest(tag)) {
      return yield* lacking(inquiry, policy, tag, answer, dependent)
    }
  } else if (!exists(inquiry, tag) || isGone(inquiry, tag)) {
    return yield* lacking(
      inquiry,
      policy,
      tag,
      lack(inquiry, manifestNeed(inquiry, tag)),
      dependent,
    )
  }
  return [
    ...(yield* judgeStanding(inquiry, policy, tag)),
    ...(yield* judgeMoved(inquiry, policy, tag)),
  ]
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
function* lacking(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  tag: string,
  answer: Lack,
  dependent: boolean,
): Work<Finding[]> {
  if (answer === 'asked') {
    return []
  }
  if (answer.code === 'ERR_REGISTRY_NOT_FOUND') {
    return [
      yield* violation(
        inquiry,
        policy,
        'TagNotFound',
        `The registry has no ${tag}: ${answer.message}`,
        {
          cause: answer,
        },
      ),
    ]
  }
  if (!dependent && policy.whenRegistryFails !== 'Deny') {
    return []
  }
  return [unavailable(policy, answer, `to look at ${tag}`)]
}

function* judgeStanding(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  tag: string,
  digest?: string,
): Work<Finding[]> {
  const { snapshot, facts } = inquiry
  const known = standing(inquiry, policy, tag, digest)
  if (known === 'TooYoung') {
    const age = facts.now - firstSeen(snapshot, policy, tag, facts.now, digest)
    const seen = movedTo(snapshot, policy, tag, digest) ? 'pushed again' : 'first seen'
    return [
      yield* violation(
        inquiry,
        policy,
        'TooYoung',
        `${tag} was ${seen} ${formatSpan(age)} ago and is permitted at ${formatSpan(policy.minimumAge)}, in ${formatSpan(policy.minimumAge - age)}`,
      ),
    ]
  }
  if (known === 'unknown') {
    const answer = lack(inquiry, manifestNeed(inquiry, tag))
    return yield* lacking(inquiry, policy, tag, answer, true)
  }
  if (known === 'PlatformMissing') {
    const there = inquiry.snapshot?.manifest(tag)?.platforms ?? []
    const missing = policy.platforms.filter((platform) => !there.includes(platform))
    return [
      yield* violation(
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
function* judgeMoved(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  tag: string,
  digest = inquiry.snapshot?.manifest(tag)?.digest,
): Work<Finding[]> {
  const moved = movedTo(inquiry.snapshot, policy, tag, digest)
  const [first] = inquiry.snapshot?.history(tag) ?? []
  if (!moved || !first) {
    return []
  }
  const wrong = `${tag} was ${first.digest.slice(0, 19)}… when it was first seen and became ${moved.digest.slice(0, 19)}… ${formatSpan(inquiry.facts.now - moved.firstSeen)} ago`
  const weaker = policy.movedTags === 'Warn' && policy.enforcement === 'Enforce'
  return [
    yield* violation(inquiry, policy, 'TagMoved', wrong, {
      enforcement: weaker ? 'Warn' : policy.enforcement,
    }),
  ]
}

function* judgeDigest(inquiry: Inquiry, policy: CompiledPolicy, digest: string): Work<Finding[]> {
  const { image } = inquiry.question
  const listed = listedDigests(policy)
  if (listed) {
    return listed.includes(digest)
      ? []
      : [
          yield* violation(
            inquiry,
            policy,
            'DigestNotAllowed',
            'The digest is not in the allowed list',
          ),
        ]
  }
  const tag = image.tag
  if (tag !== undefined && (tag !== 'latest' || policy.selector.judge(tag).permitted)) {
    const verdict = policy.selector.judge(tag)
    return verdict.permitted
      ? yield* judgePinned(inquiry, policy, tag, digest)
      : [yield* violation(inquiry, policy, verdict.reason, wrongWith(policy, tag, verdict.reason))]
  }
  return yield* judgeBare(inquiry, policy, digest)
}

/** Whether the index knows that a tag has or had a digest. */
export function isOfTag({ snapshot }: Inquiry, tag: string, digest: string): boolean {
  return (
    snapshot?.manifest(tag)?.digest === digest ||
    snapshot?.history(tag).some((seen) => seen.digest === digest) === true
  )
}

/** A digest that the tag is known to have, or to have had. */
function* judgeDigestOf(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  tag: string,
  digest: string,
): Work<Finding[]> {
  return [
    ...(yield* judgeStanding(inquiry, policy, tag, digest)),
    ...(yield* judgeMoved(inquiry, policy, tag, digest)),
  ]
}

/** `tag@digest`: the digest must be, or have been, the tag's. */
function* judgePinned(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  tag: string,
  digest: string,
): Work<Finding[]> {
  const { snapshot, facts } = inquiry
  const fact = snapshot?.manifest(tag)
  // An owner that was admitted before Tagwarden saw the tag move or go must still get its pods.
  const tolerated = isOwnerJudged(inquiry, policy) && policy.movedTags !== 'Deny'
  const stranger = function* (
    reason: 'DigestUnknown' | 'DigestMismatch',
    wrong: string,
    cause?: FactFailure,
  ) {
    const finding = yield* violation(inquiry, policy, reason, wrong, cause ? { cause } : {})
    const weaker = tolerated && finding.enforcement === 'Enforce'
    return [weaker ? { ...finding, enforcement: 'Warn' as const } : finding]
  }
  if (isOfTag(inquiry, tag, digest)) {
    return yield* judgeDigestOf(inquiry, policy, tag, digest)
  }
  if (!fact || facts.now - fact.checkedAt > STALE_MS) {
    if (!snapshot) {
      lack(inquiry, repositoryNeed(inquiry))
    }
    const answer = lack(inquiry, manifestNeed(inquiry, tag))
    if (answer === 'asked' || answer.code !== 'ERR_REGISTRY_NOT_FOUND') {
      return yield* lacking(inquiry, policy, tag, answer, true)
    }
    const wrong = `The registry has no ${tag} any more, and the digest was never seen there`
    return yield* stranger('DigestUnknown', wrong, answer)
  }
  return yield* stranger(
    'DigestMismatch',
    `${tag} is ${fact.digest}, and never was the digest that stands here`,
  )
}

/** A digest without a tag: it must be, or have been, some permitted tag's. */
function* judgeBare(inquiry: Inquiry, policy: CompiledPolicy, digest: string): Work<Finding[]> {
  const { snapshot } = inquiry
  const permitted = (tag: string) => policy.selector.judge(tag).permitted
  const tags: string[] = []
  yield* eachOf(snapshot?.tagsOf(digest) ?? [], AT_ONCE, (tag) => {
    if (permitted(tag)) tags.push(tag)
  })
  if (tags.length > 0) {
    const findings: Finding[][] = []
    for (const tag of tags) {
      findings.push(yield* judgeDigestOf(inquiry, policy, tag, digest))
      if (findings.length % AT_ONCE === 0) yield
    }
    const isGood = (list: Finding[]) => list.length === 0
    const isWarning = (list: Finding[]) => list.every((each) => each.enforcement !== 'Enforce')
    return findings.find(isGood) ?? findings.find(isWarning) ?? findings[0] ?? []
  }
  const wrong = 'No permitted tag is known to have this digest. Write the tag before the digest'
  const unknown = function* () {
    return [yield* violation(inquiry, policy, 'DigestUnknown', wrong)]
  }
  const followed = followedTag(policy)
  if (followed !== undefined) {
    const answer = lackFresh(inquiry, followed)
    return answer ? yield* lacking(inquiry, policy, followed, answer, true) : yield* unknown()
  }
  if (!snapshot || snapshot.scannedAt === 0) {
    const answer = lack(inquiry, repositoryNeed(inquiry))
    return answer === 'asked' || answer.code !== 'ERR_REGISTRY_NOT_FOUND'
      ? yield* lacking(inquiry, policy, digest, answer, true)
      : yield* unknown()
  }
  return yield* judgeElsewhere(inquiry, policy, digest, permitted, unknown)
}

/**
 * Another replica may have resolved the digest, from a tag whose manifest nobody asked for here.
 * The registry is asked for the two tags that it may be: the one that the object names, and the one
 * that would be chosen now.
 */
function* judgeElsewhere(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  digest: string,
  permitted: (tag: string) => boolean,
  unknown: () => Work<Finding[]>,
): Work<Finding[]> {
  const { hint } = inquiry.question
  const { late } = inquiry.facts
  const tags = new Set([hint, late ? undefined : (yield* best(inquiry, policy))?.tag])
  let failure: FactFailure | undefined
  let asked = false
  for (const tag of tags) {
    if (tag === undefined || !permitted(tag)) continue
    const answer = lackFresh(inquiry, tag)
    if (answer === 'asked') asked = true
    else if (answer && answer.code !== 'ERR_REGISTRY_NOT_FOUND') failure = answer
  }
  if (asked) return []
  if (late) return [tooSlow(inquiry, policy)]
  return failure ? yield* lacking(inquiry, policy, digest, failure, true) : yield* unknown()
}

/** Asks for a tag's manifest unless it was confirmed just now. */
function lackFresh(inquiry: Inquiry, tag: string): Lack | undefined {
  const fact = inquiry.snapshot?.manifest(tag)
  if (fact && inquiry.facts.now - fact.checkedAt <= STALE_MS) {
    return undefined
  }
  return lack(inquiry, manifestNeed(inquiry, tag))
}
