import type { Change, Finding, Question } from '../decisions/index.ts'
import type { Gathering } from '../facts/index.ts'
import type { ImageOccurrence } from '../images/index.ts'
import { backgroundLane } from '../scheduling/index.ts'
import type { Examination } from './examine.ts'
import type { ReviewOptions } from './handlers.ts'
import { ownershipOf, skipped } from './ownership.ts'
import { applyPatch, type PatchOperation } from './patch.ts'
import { resolutionPatch, reviewImages, sourceFor } from './resolve.ts'
import type { AdmissionRequest, JsonObject } from './review.ts'
import { isOfRequest } from './words.ts'

/** What both webhooks together make of one image. */
export interface PreviewedImage {
  /** as it stands before anything is changed */
  readonly occurrence: ImageOccurrence
  /** undefined: it is no reference */
  readonly question: Question | undefined
  /** what the mutating webhook writes instead; undefined: it stays */
  readonly change: Change | undefined
  /** what is to be said of the result */
  readonly findings: readonly Finding[]
}

/** What both webhooks would make of a request, one after the other. */
export interface Preview {
  readonly images: readonly PreviewedImage[]
  /** what the mutating webhook does to the object */
  readonly patch: readonly PatchOperation[]
}

/**
 * Asks both webhooks, as the API server does: the mutating one, then the validating one about the
 * result. Nothing is answered; this is for those who want to know before.
 *
 * @param deadline ms since the epoch, for facts that are not in memory
 * @returns undefined for a request that is let through without a look
 * @example
 *   const { images } = await preview(createRequest(manifest), options, Date.now() + 20_000)
 */
export async function preview(
  request: AdmissionRequest,
  options: ReviewOptions,
  deadline: number,
): Promise<Preview | undefined> {
  if (skipped(request)) return undefined
  const ownership = ownershipOf(request, options.controllers)
  const mutable = ownership === 'none'
  const labels = options.namespaceLabels?.(request.namespace) ?? {}
  const how: Examination = {
    policies: options.policies(),
    fields: options.fields,
    defaults: options.defaults,
    mode: mutable ? 'resolve' : 'judge',
    ownerReviewed: ownership === 'reviewed',
    namespaceLabels: labels instanceof Promise ? await labels : labels,
    promoted: options.promotes?.(request.kind),
  }
  const clock = options.clock ?? Date.now
  const source = sourceFor(options.source, request)
  const lane = backgroundLane(request.namespace)
  const gathering: Gathering = { source, deadline, clock, lane }
  const resolved = await reviewImages(request, how, gathering)
  const patch = mutable ? resolutionPatch(request, resolved, options.prefix) : []
  const object = patch.length > 0 ? applyPatch(request.object ?? {}, patch) : request.object
  const result = { ...request, object }
  const checked = await reviewImages(
    result,
    { ...how, mode: mutable ? 'check' : 'judge' },
    gathering,
  )
  const images = resolved.examined.map(({ occurrence, question }, index): PreviewedImage => {
    const { change, findings: before = [] } = resolved.decisions[index] ?? {}
    const held = mutable ? before.filter((finding) => isOfRequest(finding, change)) : []
    const findings = [...held, ...(checked.decisions[index]?.findings ?? [])]
    const moves = change !== undefined && change.to !== occurrence.value
    return { occurrence, question, change: moves ? change : undefined, findings }
  })
  return { images, patch }
}

/** The request that an API server makes of an object that somebody creates. */
export function createRequest(
  kind: AdmissionRequest['kind'],
  namespace: string,
  object: JsonObject,
): AdmissionRequest {
  return {
    ...{ uid: '', subResource: '', operation: 'CREATE', name: '', username: '', dryRun: true },
    ...{ kind, namespace, object, oldObject: undefined },
  }
}
