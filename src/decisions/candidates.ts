import type { Work } from '../pieces/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import type { Candidate } from '../tags/types.ts'
import { followedTag } from './digest_rule.ts'
import { type Inquiry, type Lack, lack, manifestNeed } from './inquiry.ts'
import type { DigestSeen, RepositorySnapshot } from './ports.ts'
import { digestsOf, ranking } from './ranking.ts'

/** Whether a tag that a rule permits may be used: the facts beyond its name. */
export type Standing =
  | 'good'
  | 'TooYoung'
  | 'TagMoved'
  | 'PlatformMissing'
  | 'OtherPolicy'
  | 'LatestTag'
  | 'unknown'

/** How many manifests are asked for at a time while walking a ranking. */
const LOOK_AHEAD = 3
/** So many tags are looked at before others may go first, where one policy is for the image. */
const ALONE = 64

/**
 * The digest that a tag had come to have since it was first seen; undefined if the tag always had
 * this one, or if the policy does not mind.
 *
 * @param digest the one behind the tag now, unless another one is meant
 */
export function movedTo(
  snapshot: RepositorySnapshot | undefined,
  policy: CompiledPolicy,
  tag: string,
  digest = snapshot?.manifest(tag)?.digest,
): DigestSeen | undefined {
  if (policy.movedTags === 'Allow' || followedTag(policy) === tag) return undefined
  const history = snapshot?.history(tag) ?? []
  const at = history.findIndex((seen) => seen.digest === digest)
  return at > 0 ? history[at] : undefined
}

/**
 * When a tag was first seen, or with what it was moved to; `now`, if it never was. ms since the
 * epoch.
 */
export function firstSeen(
  snapshot: RepositorySnapshot | undefined,
  policy: CompiledPolicy,
  tag: string,
  now: number,
  digest?: string,
): number {
  const moved = movedTo(snapshot, policy, tag, digest)
  if (moved) return moved.firstSeen
  return snapshot?.firstSeen(tag) ?? now
}

/**
 * What a policy says of a tag beyond the rule on its name: old enough, not moved where that is
 * denied, on every platform.
 *
 * @param digest the one behind the tag now, unless another one is meant
 */
export function standing(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  tag: string,
  digest?: string,
): Standing {
  const { snapshot, facts } = inquiry
  if (policy.minimumAge > 0) {
    if (facts.now - firstSeen(snapshot, policy, tag, facts.now, digest) < policy.minimumAge) {
      return 'TooYoung'
    }
  }
  if (policy.movedTags === 'Deny' && movedTo(snapshot, policy, tag, digest)) {
    return 'TagMoved'
  }
  if (policy.platforms.length > 0) {
    const platforms = snapshot?.manifest(tag)?.platforms
    if (!platforms) {
      return 'unknown'
    }
    if (!policy.platforms.every((platform) => platforms.includes(platform))) {
      return 'PlatformMissing'
    }
  }
  return 'good'
}

/**
 * Whether a tag can be an answer to which one is the newest: `latest` says nothing of what it is,
 * and is none unless the policy follows it.
 */
export function isAnswer(policy: CompiledPolicy, tag: string): boolean {
  return tag !== 'latest' || followedTag(policy) === tag
}

/** The same for every policy on the image; the names of tags are judged for all but the mover. */
export function standingOfAll(inquiry: Inquiry, mover: CompiledPolicy, tag: string): Standing {
  let result = standing(inquiry, mover, tag)
  for (const policy of inquiry.question.policies) {
    if (policy === mover || (result !== 'good' && result !== 'unknown')) {
      continue
    }
    const verdict = policy.selector.judge(tag, digestsOf(inquiry.snapshot))
    if (!verdict.permitted) {
      if (verdict.reason !== 'DigestUnknown') return 'OtherPolicy'
      // a list of digests: what the tag has can be asked
      result = 'unknown'
    }
    const other = standing(inquiry, policy, tag)
    result = other === 'good' ? result : other
  }
  const isOpen = result === 'good' || result === 'unknown'
  return isOpen && !isAnswer(mover, tag) ? 'LatestTag' : result
}

/** The permitted tags of a policy, best first, as far as names tell. */
export function* permittedTags(
  inquiry: Inquiry,
  policy: CompiledPolicy,
): Work<readonly Candidate[]> {
  const { snapshot } = inquiry
  if (!snapshot) {
    return []
  }
  const tag = followedTag(policy)
  if (tag !== undefined) {
    return snapshot.has(tag) || snapshot.manifest(tag)
      ? [{ tag, version: tag, build: undefined }]
      : []
  }
  return (yield* ranking(policy.selector, snapshot)).permitted
}

/** Tells after which of the tags that are looked at others may go first. */
function paceOf({ question }: Inquiry): () => boolean {
  // only the rules of other policies take long
  const count = question.policies.length > 1 ? 1 : ALONE
  let left = count
  return () => {
    left = left === 1 ? count : left - 1
    return left === count
  }
}

/** Whether the registry has just said that a tag which is still in the list is not there. */
export function isGone(inquiry: Inquiry, tag: string): boolean {
  return inquiry.facts.failure(manifestNeed(inquiry, tag))?.code === 'ERR_REGISTRY_NOT_FOUND'
}

/**
 * The best tag that all policies permit by what is known now; unknown platforms count as there.
 *
 * @param isIn which tags count at all
 */
export function* best(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  isIn: (tag: string) => boolean = () => true,
): Work<Candidate | undefined> {
  const pace = paceOf(inquiry)
  for (const candidate of yield* permittedTags(inquiry, policy)) {
    if (isIn(candidate.tag)) {
      const known = standingOfAll(inquiry, policy, candidate.tag)
      if (known === 'good' || known === 'unknown') return candidate
    }
    if (pace()) yield
  }
  return undefined
}

/**
 * The best tag that all policies permit, asking for the manifests that this depends on. A registry
 * that fails is an answer too: falling back to an older tag would be a silent downgrade. A tag that
 * it says is not there any more is passed over.
 *
 * @returns undefined when no tag is permitted
 */
export function* bestProven(
  inquiry: Inquiry,
  policy: CompiledPolicy,
): Work<{ readonly candidate: Candidate } | { readonly lack: Lack } | undefined> {
  let asked = 0
  const pace = paceOf(inquiry)
  for (const candidate of yield* permittedTags(inquiry, policy)) {
    const known = isGone(inquiry, candidate.tag)
      ? 'TagNotFound'
      : standingOfAll(inquiry, policy, candidate.tag)
    if (known === 'good') {
      return asked > 0 ? { lack: 'asked' } : { candidate }
    }
    if (known !== 'unknown') {
      if (pace()) yield
      continue
    }
    const lacking = lack(inquiry, manifestNeed(inquiry, candidate.tag))
    if (lacking === 'asked') {
      asked += 1
    } else {
      return { lack: lacking }
    }
    if (asked === LOOK_AHEAD) {
      break
    }
  }
  return asked > 0 ? { lack: 'asked' } : undefined
}
