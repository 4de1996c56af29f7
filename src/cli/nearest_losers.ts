import { type Funnel, firstSeen, formatSpan, type RepositorySnapshot } from '../decisions/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import { compilePattern, type TagReason } from '../tags/index.ts'

/** A tag that was not chosen, and why, for people. */
export interface NearestLoser {
  readonly tag: string
  readonly reason: TagReason
  /** without a full stop */
  readonly why: string
}

/** What the reasons of one policy's losers are told from. */
export interface LoserContext {
  readonly policy: CompiledPolicy
  /** all policies on the image */
  readonly policies: readonly CompiledPolicy[]
  readonly snapshot: RepositorySnapshot | undefined
  /** ms since the epoch */
  readonly now: number
}

const SHOWN = 10
const WIDEST = 40

/** The tags that came nearest: the best of each reason, so that none hides another. */
export function nearestLosers(
  { losers }: Pick<Funnel, 'losers'>,
  context: LoserContext,
): readonly NearestLoser[] {
  const turns = new Map<TagReason, number>()
  const order = losers.map(({ reason }, at) => {
    const turn = turns.get(reason) ?? 0
    turns.set(reason, turn + 1)
    // what is no image at all is nearest to nothing
    return { at, turn: reason === 'Artifact' ? Number.POSITIVE_INFINITY : turn }
  })
  const chosen = order
    .sort((a, b) => (a.turn === b.turn ? a.at - b.at : a.turn - b.turn))
    .slice(0, SHOWN)
  return chosen
    .sort((a, b) => a.at - b.at)
    .map(({ at }) => {
      const { tag, reason } = losers[at]!
      return { tag, reason, why: whyLost(tag, reason, context) }
    })
}

function whyLost(tag: string, reason: TagReason, context: LoserContext): string {
  const { policy, snapshot } = context
  const { rule, description } = policy.selector
  const semver = 'semver' in rule.order ? rule.order.semver : undefined
  switch (reason) {
    case 'Artifact':
      return 'a signature, an attestation or an SBOM, not an image'
    case 'NotMatched':
      return `does not match ${rule.pattern ?? 'any pattern'}`
    case 'Ignored':
      return `matches ${rule.ignore.find((each) => compilePattern(each, '').test(tag))} of tags.ignore`
    case 'NotAVersion':
      return semver?.identifier
        ? `is not ${semver.identifier} and a version of three numbers`
        : 'is not a version of three numbers'
    case 'NotANumber':
      return 'is not a decimal number'
    case 'OutOfRange':
      return `is outside ${semver?.range ?? description}`
    case 'Prerelease':
      return `is a prerelease, which ${semver?.range ?? description} does not name`
    case 'DigestUnknown':
      return 'its digest is not known'
    case 'DigestNotAllowed':
      return 'has none of the permitted digests'
    case 'NotFollowed':
      return `is not the tag that is followed (${description})`
    case 'TooYoung':
      return youth(tag, context)
    case 'TagMoved':
      return 'was pushed again since it was first seen, which movedTags denies'
    case 'PlatformMissing':
      return platforms(context, snapshot?.manifest(tag)?.platforms)
    case 'LatestTag':
      return 'is never chosen, unless it is followed'
    case 'OtherPolicy':
      return otherPolicy(tag, context)
    case 'TagNotFound':
      return 'the registry does not have it'
  }
}

/** Every policy on the image has to find it old enough. */
function youth(tag: string, { policies, snapshot, now }: LoserContext): string {
  const ages = policies.filter(({ minimumAge }) => minimumAge > 0)
  const since = ages.map((policy) => firstSeen(snapshot, policy, tag, now))
  const seen = Math.max(...since)
  const left = Math.max(...ages.map(({ minimumAge }, i) => (since[i] ?? now) + minimumAge)) - now
  return `first seen ${formatSpan(now - seen)} ago, old enough in ${formatSpan(left)}`
}

function platforms({ policies }: LoserContext, known: readonly string[] | undefined): string {
  const wanted = new Set(policies.flatMap((each) => each.platforms))
  const missing = [...wanted].filter((each) => !known?.includes(each))
  return `lacks ${missing.join(' ')}; has ${known?.join(' ') || 'none'}`
}

function otherPolicy(tag: string, context: LoserContext): string {
  const { policy, policies, snapshot } = context
  const digestOf = (each: string) => snapshot?.manifest(each)?.digest
  for (const other of policies) {
    if (other === policy) continue
    const verdict = other.selector.judge(tag, digestOf)
    if (!verdict.permitted) {
      const why = whyLost(tag, verdict.reason, { ...context, policy: other })
      return `${other.title}: ${why}`
    }
  }
  return 'another policy on the image does not permit it'
}

/** For people, one line each. */
export function loserLines(losers: readonly NearestLoser[]): string[] {
  if (losers.length === 0) return []
  const tags = losers.map(({ tag }) => shortTag(tag))
  const width = Math.max(...tags.map((tag) => tag.length))
  const reasons = Math.max(...losers.map(({ reason }) => reason.length))
  return [
    '  nearest that lost:',
    ...losers.map(
      ({ reason, why }, at) => `    ${tags[at]?.padEnd(width)}  ${reason.padEnd(reasons)}  ${why}`,
    ),
  ]
}

/** A tag, or the beginning of a long one. */
export function shortTag(tag: string): string {
  return tag.length <= WIDEST ? tag : `${tag.slice(0, WIDEST - 1)}…`
}
