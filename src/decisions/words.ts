import { respell } from '../images/index.ts'
import type { Work } from '../pieces/index.ts'
import type { CompiledPolicy, Enforcement } from '../policies/types.ts'
import { best, isGone } from './candidates.ts'
import { listedDigests } from './digest_rule.ts'
import { type Inquiry, repositoryNeed } from './inquiry.ts'
import type { FactFailure, RepositorySnapshot } from './ports.ts'
import type { Finding, ReasonCode } from './types.ts'

/** A denial names so many policies that have a say beside the one that denies. */
const MOST_NAMED = 3

/** `45s`, `3m`, `5h`, `12d`: a time span in the largest unit that fits, rounded down. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** `2026-12-01` where the day begins; else with the time. */
export function formatMoment(ms: number): string {
  const text = new Date(ms).toISOString().replace(/\.000Z$/, 'Z')
  return text.replace(/T00:00:00Z$/, '')
}

/**
 * What a policy permits and which permitted tag is the newest, without a full stop.
 *
 * @param wrong what is said before it, and not again
 */
function* permits(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  wrong: string,
): Work<{ text: string; use?: string }> {
  const { image } = inquiry.question
  const head = `${policy.title} permits ${policy.selector.description}`
  const listed = listedDigests(policy)
  if (listed) {
    const [digest] = listed
    return digest ? { text: head, use: respell(image, { digest }) } : { text: head }
  }
  const snapshot = inquiry.snapshot
  if (!snapshot || snapshot.scannedAt === 0) {
    const need = repositoryNeed(inquiry)
    const failure = inquiry.facts.failure(need)
    if (!failure) {
      inquiry.wishes.push(need)
    }
    const cause = failure && !wrong.includes(failure.message) ? ` (${failure.message})` : ''
    return { text: `${head}; the newest is not known yet${cause}` }
  }
  if (inquiry.facts.late) {
    return { text: `${head}; there was no time to find the newest of ${countOf(snapshot)}` }
  }
  const seen = `seen ${formatSpan(inquiry.facts.now - snapshot.scannedAt)} ago`
  const newest = yield* best(inquiry, policy, (tag) => !isGone(inquiry, tag))
  if (!newest) {
    const by = byAll(inquiry.question.policies.filter((each) => each !== policy))
    return {
      text: `${head}; none of the ${countOf(snapshot)} in the index is permitted${by} (${seen})`,
    }
  }
  return {
    text: `${head}; newest is ${newest.tag} (${seen})`,
    use: respell(image, { tag: newest.tag }),
  }
}

/** Which other policies have a say, so that it can be seen why nothing is left. */
function byAll(others: readonly CompiledPolicy[]): string {
  if (others.length === 0) return ''
  const titles = others.slice(0, MOST_NAMED).map(({ title }) => title)
  const rest = others.length - titles.length
  const names = [...titles, ...(rest > 0 ? [`${rest} more`] : [])]
  const last = names.length > 1 ? ` and ${names.pop()}` : ''
  return ` by all policies: ${names.join(', ')}${last} ${others.length === 1 ? 'counts' : 'count'} too`
}

/** A violation of a policy: what is wrong (may be empty), then what the policy permits. */
export function* violation(
  inquiry: Inquiry,
  policy: CompiledPolicy,
  reason: ReasonCode,
  wrong: string,
  options: { enforcement?: Enforcement; cause?: FactFailure } = {},
): Work<Finding> {
  const { text, use } = yield* permits(inquiry, policy, wrong)
  return {
    reason,
    enforcement: options.enforcement ?? policy.enforcement,
    policy,
    message: wrong === '' ? `${text}.` : `${wrong}. ${text}.`,
    use,
    cause: options.cause,
  }
}

function countOf({ tags }: RepositorySnapshot): string {
  return tags.length === 1 ? '1 tag' : `${tags.length} tags`
}

/** The registry could not be asked for what this policy needs. */
export function unavailable(policy: CompiledPolicy, cause: FactFailure, what: string): Finding {
  const reason = cause.code === 'ERR_REGISTRY_TIMEOUT' ? 'Timeout' : 'RegistryUnavailable'
  const wrong = `needs ${what}, and the registry did not give it: ${cause.message}`
  return { ...unanswered(policy, reason, wrong, NEXT[cause.code] ?? ANSWERS), cause }
}

const ANSWERS = 'Try again when the registry answers'
const NEXT: Readonly<Partial<Record<FactFailure['code'], string>>> = {
  ERR_REGISTRY_UNAUTHORIZED:
    'Give credentials that may read it (a pull secret counts where Tagwarden may read it)',
  ERR_REGISTRY_NOT_FOUND:
    'Check the name, and the credentials: some registries say the same where they are missing',
}

/** There was no time to look through the tags for what this policy needs. */
export function tooSlow({ snapshot }: Inquiry, policy: CompiledPolicy): Finding {
  const count = snapshot ? `${countOf(snapshot)} of ${snapshot.name}` : 'tags'
  const wrong = `needs the newest permitted tag, and the ${count} could not be looked through in time`
  return unanswered(policy, 'Timeout', wrong, 'Try again when that is done')
}

function unanswered(
  policy: CompiledPolicy,
  reason: ReasonCode,
  wrong: string,
  remedy: string,
): Finding {
  const weaker = policy.whenRegistryFails === 'Allow' && policy.enforcement === 'Enforce'
  const next =
    policy.whenRegistryFails === 'Allow'
      ? 'The policy allows the image as it is'
      : `${remedy}, or set whenRegistryFails: Allow on the policy`
  return {
    reason,
    enforcement: weaker ? 'Warn' : policy.enforcement,
    policy,
    message: `${policy.title} ${wrong}. ${next}.`,
    use: undefined,
    cause: undefined,
  }
}

/** The image is judged by an old index: how old, and why. */
export function outdated(inquiry: Inquiry, policy: CompiledPolicy): Finding | undefined {
  const { snapshot, facts } = inquiry
  if (!snapshot?.failure || snapshot.scannedAt === 0) {
    return undefined
  }
  const age = formatSpan(facts.now - snapshot.scannedAt)
  const denied = policy.whenRegistryFails === 'Deny'
  return {
    reason: 'RegistryUnavailable',
    enforcement: denied ? policy.enforcement : policy.enforcement === 'Audit' ? 'Audit' : 'Warn',
    policy,
    message: denied
      ? `${policy.title} denies while the registry fails (whenRegistryFails: Deny): ${snapshot.failure.message}. The index is ${age} old.`
      : `decided by an index that is ${age} old, since the registry fails: ${snapshot.failure.message}.`,
    use: undefined,
    cause: snapshot.failure,
  }
}
