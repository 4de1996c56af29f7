import { type Said, settled, timeText } from '../cluster/index.ts'
import { type FactFailure, listedDigests } from '../decisions/index.ts'
import type { ImagePolicyStatus } from '../policies/types.ts'
import { describeField, type PolicyObject } from '../sources/index.ts'
import { said, stalled } from './conditions.ts'
import type { ShutOut } from './shut_out.ts'

/** What a policy selects of one repository, and what is known of that. */
export interface Selected {
  readonly image: string
  /** the policy names it in full */
  readonly named: boolean
  /** ms since the epoch; 0: its tags were never read */
  readonly scannedAt: number
  /** how many it has */
  readonly tags: number
  /** why they could not be read the last time */
  readonly failure: FactFailure | undefined
  /** undefined: none is permitted, or it is not known yet */
  readonly newest: Newest | undefined
  /** what the choice depends on is not known yet */
  readonly pending: boolean
}

/** The newest permitted tag. */
export interface Newest {
  readonly tag: string
  readonly digest: string | undefined
  readonly version: string
}

/** Another policy that is as specific for a repository, and chooses differently. */
export interface Rivalry {
  readonly image: string
  readonly rival: string
  readonly mine: string
  readonly theirs: string
}

/** Everything that the status of a policy is made of. */
export interface PolicyFacts {
  readonly object: Pick<PolicyObject, 'generation' | 'inForce' | 'lastGood' | 'policy' | 'problems'>
  readonly before: ImagePolicyStatus | undefined
  /** by name; when there are very many, the first ones and those that are not read */
  readonly selected: readonly Selected[]
  /** how many repositories in use it covers */
  readonly count: number
  readonly rivalry: Rivalry | undefined
  readonly shutOut?: ShutOut | undefined
  /** ms since the epoch */
  readonly now: number
}

/** The schema's limit. */
const MOST_SHOWN = 50
const MOST_PROBLEMS = 5

/**
 * The status of an ImagePolicy or ClusterImagePolicy. Conditions are those of kstatus: `Stalled`
 * and `Reconciling` are there only while they hold. `lastPromotion` is left as it is.
 */
export function policyStatusOf(facts: PolicyFacts): ImagePolicyStatus {
  const { object, before, selected, count, now } = facts
  const { generation, policy } = object
  const inForce = object.lastGood()
  const first = selected.find(({ newest }) => newest !== undefined)?.newest
  const scans = selected.flatMap(({ scannedAt }) => (scannedAt > 0 ? scannedAt : []))
  const shown = selected.slice(0, MOST_SHOWN).filter(({ scannedAt }) => scannedAt > 0)
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions: settled(conditionsOf(facts), before?.conditions, generation, now),
    ...(policy && { order: policy.selector.description, repositoryCount: count }),
    ...(first && { newest: first.tag }),
    ...(scans.length > 0 && { lastScanTime: timeText(Math.min(...scans)) }),
    ...(shown.length > 0 && { repositories: shown.map(entryOf) }),
    ...(inForce && { inForce }),
    ...(before?.lastPromotion && { lastPromotion: before.lastPromotion }),
  }
}

function entryOf({ image, newest, scannedAt }: Selected) {
  const { tag, digest, version } = newest ?? {}
  return {
    image,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
    ...(version !== undefined && { version }),
    seen: timeText(scannedAt),
  }
}

function conditionsOf(facts: PolicyFacts): Said[] {
  const { object, selected, rivalry, shutOut } = facts
  if (object.problems.length > 0) return stalled('InvalidPolicy', invalid(object))
  if (rivalry) return stalled('Conflict', conflict(rivalry))
  const failing = selected.filter(({ failure }) => failure)
  if (failing[0]) {
    return [
      said('Ready', 'False', 'RegistryUnavailable', unavailable(failing[0], failing.length)),
      said('Reconciling', 'True', 'Scanning', 'the registry is asked again and again'),
    ]
  }
  const unread = selected.find(
    ({ named, scannedAt, pending }) => named && (scannedAt === 0 || pending),
  )
  if (unread) {
    const message =
      unread.scannedAt === 0
        ? `the tags of ${unread.image} have not been read yet`
        : `what the newest tags of ${unread.image} are made of has not been read yet`
    return [
      said('Ready', 'Unknown', 'Scanning', message),
      said('Reconciling', 'True', 'Scanning', message),
    ]
  }
  const barren = object.policy && listedDigests(object.policy) ? undefined : barrenOf(selected)
  if (barren) return [said('Ready', 'False', 'NoPermittedTag', none(barren, object))]
  if (shutOut) return [said('Ready', 'False', 'NoPermittedTag', nothingLeft(shutOut))]
  return [said('Ready', 'True', 'Accepted', accepted(facts))]
}

/** The repository that gives nothing: one that is named, or any if all give nothing. */
function barrenOf(selected: readonly Selected[]): Selected | undefined {
  const without = selected.filter(({ newest, pending }) => !newest && !pending)
  const all = without.length > 0 && without.length === selected.length
  return without.find(({ named }) => named) ?? (all ? without[0] : undefined)
}

function invalid({ problems, inForce, policy }: PolicyFacts['object']): string {
  const lines = problems.slice(0, MOST_PROBLEMS).map(describeField)
  const more =
    problems.length > MOST_PROBLEMS ? [`and ${problems.length - MOST_PROBLEMS} more`] : []
  const held =
    policy === undefined
      ? 'Until then it permits and refuses nothing'
      : `Until then generation ${inForce ?? 'before'} stays in force`
  return `${[...lines, ...more].join('; ')}. ${held}`
}

function conflict({ image, rival, mine, theirs }: Rivalry): string {
  return `${rival} is as specific for ${image} and chooses ${theirs}, this one ${mine}: the image is refused. Make one of them more specific, or give both the same rule`
}

function unavailable({ image, failure, scannedAt }: Selected, count: number): string {
  const known =
    scannedAt > 0 ? `what was read ${timeText(scannedAt)} counts` : 'nothing is known of it yet'
  const more = count > 1 ? `. The same with ${count - 1} more` : ''
  return `the tags of ${image} cannot be read: ${failure?.message}; ${known}${more}`
}

function none({ image, tags }: Selected, { policy }: PolicyFacts['object']): string {
  const count = tags === 1 ? 'the 1 tag' : `none of the ${tags} tags`
  const is = tags === 1 ? 'is not' : 'is'
  return `${count} of ${image} ${is} permitted by ${policy?.selector.description}. Push one that is, or change order or tags`
}

function nothingLeft({ image, by }: ShutOut): string {
  return `no tag of ${image} is permitted by this policy and by ${by}, which counts too: every image of it is refused. Push one that both permit, or change one of the two`
}

function accepted({ selected, count, object }: PolicyFacts): string {
  const first = selected.find(({ newest }) => newest)
  if (object.policy && listedDigests(object.policy)) return 'in force for the digests that it lists'
  if (!first) return 'in force; nothing that it covers is in use yet'
  const newest = `the newest permitted tag of ${first.image} is ${first.newest?.tag}`
  return count === 1 ? newest : `in force for ${count} repositories; ${newest}`
}
