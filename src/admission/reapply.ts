import {
  type Change,
  type Decision,
  type Finding,
  isLatest,
  type RepositorySnapshot,
  runningTag,
} from '../decisions/index.ts'
import type { Gathering } from '../facts/index.ts'
import { type GroupKind, type ImageReference, parseReference } from '../images/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import { backgroundLane } from '../scheduling/index.ts'
import { type Examination, type Examined, examine } from './examine.ts'
import type { ReviewOptions } from './handlers.ts'
import { applyPatch, type PatchOperation } from './patch.ts'
import { chosenTag, type ImageRecord } from './record.ts'
import { decideAll, resolutionPatch, reviewImages, sourceFor } from './resolve.ts'
import type { AdmissionRequest, JsonObject } from './review.ts'
import { collectFindings } from './words.ts'

/** A workload as the API server has it now. */
export interface LiveObject {
  readonly kind: GroupKind
  readonly namespace: string
  readonly name: string
  readonly object: JsonObject
}

/** One image that a chosen policy may move. */
export interface ReappliedImage {
  /** name of the container, or the field where there is none */
  readonly container: string
  readonly live: ImageReference
  /** what runs, as the policy orders it: a tag where one is known, for a digest rule the digest */
  readonly from: string
  readonly policy: CompiledPolicy
  /** undefined: there is nothing newer for it */
  readonly change: Change | undefined
  /** the newer version that it was rolled back from */
  readonly rolledBackFrom: string | undefined
  /** what was found about the request, such as a registry that fails */
  readonly findings: readonly Finding[]
  /** what this object may see of the repository */
  readonly snapshot: RepositorySnapshot | undefined
}

/** What applying the same manifest again would make of an object. */
export interface Reapplied {
  readonly images: readonly ReappliedImage[]
  /** brings the live object there; empty when nothing moves */
  readonly patch: readonly PatchOperation[]
  /** why the validating webhook would refuse the result, a line for each image; empty: it would not */
  readonly denied: readonly string[]
}

/** Which images are looked at, and with what. */
export interface Reapplication {
  /** whether this policy may move images now */
  readonly chosen: (policy: CompiledPolicy) => boolean
  /** a last word on each image that would move; false: it stays. Without it, all move */
  readonly admits?: (image: ReappliedImage & { readonly change: Change }) => boolean
  /** ms since the epoch */
  readonly deadline: number
}

/**
 * Answers what both webhooks would make of a live object if the manifest that it came from were
 * applied again now, as far as chosen policies may move its images. The manifest is not needed:
 * `tagwarden.io/images` says what it asked for. An image without such a record counts as asked for
 * as it stands, and never moves if it carries a digest. All other images stay as they are. What
 * could not be decided for want of facts stays too.
 *
 * @example
 *   const { patch, denied } = await reapply(live, options, { chosen: tracks, deadline })
 *   if (denied.length === 0 && patch.length > 0) await cluster.patch(…, { type: 'json', body: patch })
 */
export async function reapply(
  live: LiveObject,
  options: ReviewOptions,
  { chosen, admits = () => true, deadline }: Reapplication,
): Promise<Reapplied> {
  const { object, kind, namespace, name } = live
  const request: AdmissionRequest = {
    ...{ uid: '', subResource: '', operation: 'UPDATE', username: '', dryRun: false },
    ...{ kind, namespace, name, object, oldObject: object },
  }
  const how: Examination = {
    policies: options.policies(),
    fields: options.fields,
    defaults: options.defaults,
    mode: 'resolve',
    ownerReviewed: false,
    namespaceLabels: (await options.namespaceLabels?.(namespace)) ?? {},
  }
  const gathering: Gathering = {
    source: sourceFor(options.source, live),
    deadline,
    clock: options.clock ?? Date.now,
    lane: backgroundLane(namespace),
  }
  const standing = examine(request, how)
  const again = standing.map((each) => askedAgain(each, chosen))
  const wanted = again.map((each, index) => each ?? (standing[index] as Examined))
  const decisions = await decideAll(wanted, gathering)
  const images: ReappliedImage[] = []
  const moving = wanted.map((each, index) => {
    const image = again[index] && imageOf(each, decisions[index] as Decision, chosen, gathering)
    if (image === undefined) return false
    images.push(image)
    return hasChange(image) && admits(image)
  })
  if (!moving.includes(true)) return { images, patch: [], denied: [] }
  const kept = await decideAll(standing, gathering)
  const reviewed = {
    examined: moving.map((moves, index) => (moves ? wanted : standing)[index] as Examined),
    decisions: moving.map((moves, index) => (moves ? decisions : kept)[index] as Decision),
  }
  const patch = resolutionPatch(request, reviewed, options.prefix)
  const result = { ...request, object: applyPatch(object, patch) }
  const checked = await reviewImages(result, { ...how, mode: 'check' }, gathering)
  return { images, patch, denied: collectFindings(checked.examined, checked.decisions).denied }
}

/** The image as its manifest asks for it; undefined if no chosen policy may move it at all. */
function askedAgain(
  image: Examined,
  chosen: (policy: CompiledPolicy) => boolean,
): Examined | undefined {
  const { question, prior } = image
  if (!question?.policies.some(chosen)) return undefined
  const { image: live } = question
  const record = prior?.resolved === live.original ? prior : undefined
  const asked = record ? requestOf(record, live) : live
  if (asked === undefined || (!record && (live.digest !== undefined || isLatest(live)))) {
    return undefined
  }
  const previous = {
    image: live,
    record: {
      requested: asked.original,
      rolledBackFrom: record?.rolledBackFrom,
      tag: record && chosenTag(record),
    },
  }
  return {
    ...image,
    unchanged: false,
    question: { ...question, image: asked, unchanged: false, restored: false, previous },
  }
}

/** What a record says was asked for; undefined if it can't be true. */
function requestOf({ requested }: ImageRecord, live: ImageReference): ImageReference | undefined {
  try {
    const image = parseReference(requested)
    return image.name === live.name && image.digest === undefined ? image : undefined
  } catch {
    return undefined
  }
}

function imageOf(
  { question, occurrence, prior }: Examined,
  { mover, change, findings }: Decision,
  chosen: (policy: CompiledPolicy) => boolean,
  { source }: Gathering,
): ReappliedImage | undefined {
  const live = question?.previous?.image
  if (!mover || !live || !chosen(mover)) return undefined
  const digests = 'digest' in mover.selector.rule.order
  // A tag that a rule follows says nothing of what runs; only a record has the digest.
  const known = prior?.resolved === occurrence.value || !digests
  const moves = known && change !== undefined && !change.kept && change.to !== occurrence.value
  const { tag, digest } = live
  const snapshot = source.snapshot(live.name)
  const tagged = runningTag(question.previous, mover, snapshot)
  return {
    container: occurrence.name ?? occurrence.field,
    live,
    from: (digests ? (digest ?? tag) : (tagged ?? digest)) ?? '',
    policy: mover,
    change: moves ? change : undefined,
    rolledBackFrom: question.previous.record?.rolledBackFrom,
    findings,
    snapshot,
  }
}

function hasChange(image: ReappliedImage): image is ReappliedImage & { readonly change: Change } {
  return image.change !== undefined
}
