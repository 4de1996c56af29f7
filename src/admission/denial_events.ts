import type { ClusterEvent, EventRecorder } from '../cluster/index.ts'
import type { Decision, Finding } from '../decisions/index.ts'
import { displayImage } from '../images/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import type { ReviewSummary } from './handlers.ts'
import { type AdmissionRequest, objectAt, own } from './review.ts'

/** What `kubectl describe` shows as the reason. */
const IMAGE_DENIED = 'ImageDenied'
/** An event names this many images; the denial itself names them all. */
const MOST_NAMED = 5

/** An object that an event can be about. */
export type Subject = ClusterEvent['about']

/**
 * Writes a warning on each policy that denied an image, and on the workload where it exists. Dry
 * runs write nothing. Equal denials have equal words, so that they become one event with a count.
 * On a ClusterImagePolicy, images and names are left out: its events are in the namespace
 * `default`, where others read them.
 *
 * @param subjectOf the object in the cluster that a policy is; undefined for one from a file
 * @example
 *   const onReviewed = createDenialEvents(recorder, policies.subjectOf)
 */
export function createDenialEvents(
  events: Pick<EventRecorder, 'record'>,
  subjectOf: (policy: CompiledPolicy) => Subject | undefined,
): (review: ReviewSummary) => void {
  return ({ verdict, request, decisions, object }) => {
    if (verdict !== 'denied' || request.dryRun || decisions.length === 0) return
    const denied = decisions.flatMap((decision) =>
      decision.findings
        .filter(({ enforcement }) => enforcement === 'Enforce')
        .map((finding) => ({ decision, finding })),
    )
    const warn = (about: Subject, message: string) =>
      events.record({ about, type: 'Warning', reason: IMAGE_DENIED, message })
    for (const [policy, group] of Map.groupBy(denied, ({ finding }) => finding.policy)) {
      const about = policy && subjectOf(policy)
      if (!about) continue
      warn(
        about,
        about.namespace === undefined
          ? `denied ${someObject(request)}: ${named(group.map(({ finding }) => finding.reason))}`
          : `denied ${titleOf(request, object)}: ${named(group.map(imageAndReason))}`,
      )
    }
    const workload = existing(request)
    if (workload) {
      const lines = denied.map(({ decision, finding }) => {
        const by = finding.policy ? ` by ${finding.policy.title}` : ''
        return `${imageAndReason({ decision, finding })}${by}`
      })
      warn(workload, `an update is denied: ${named(lines)}`)
    }
  }
}

/** What gets a new name at each attempt, such as the pods of a ReplicaSet, is one and the same. */
function titleOf(request: AdmissionRequest, object: string): string {
  const metadata = objectAt(request.object, 'metadata')
  const prefix = request.operation === 'CREATE' ? own(metadata, 'generateName') : undefined
  const name = own(metadata, 'name')
  if (typeof prefix !== 'string' || prefix === '' || typeof name !== 'string') return object
  const random = name.slice(prefix.length)
  if (random === '' || !name.startsWith(prefix) || !object.endsWith(name)) return object
  return `${object.slice(0, object.length - random.length)}*`
}

/** Events on what is in no namespace are read by others than those whose object it is. */
function someObject({ kind, namespace }: AdmissionRequest): string {
  return `a ${kind.kind}${namespace === '' ? '' : ` of namespace ${namespace}`}`
}

function imageAndReason(each: { decision: Decision; finding: Finding }): string {
  const { image } = each.decision
  const shown = image ? displayImage(image.original) : 'what is no image reference'
  return `${shown} [${each.finding.reason}]`
}

function named(lines: readonly string[]): string {
  const all = [...new Set(lines)]
  const rest = all.length - MOST_NAMED
  const more = rest > 0 ? [`and ${rest} more`] : []
  return [...all.slice(0, MOST_NAMED), ...more].join(', ')
}

/** The workload as it is stored; on CREATE there is none yet that an event could be about. */
function existing(request: AdmissionRequest): Subject | undefined {
  if (request.operation !== 'UPDATE') return undefined
  const uid = own(objectAt(request.oldObject, 'metadata'), 'uid')
  const apiVersion = own(request.oldObject ?? {}, 'apiVersion')
  if (typeof uid !== 'string' || typeof apiVersion !== 'string' || request.name === '') {
    return undefined
  }
  const { kind } = request.kind
  const namespace = request.namespace === '' ? undefined : request.namespace
  return { apiVersion, kind, namespace, name: request.name, uid }
}
