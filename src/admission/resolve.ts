import type { Decision, FactSource } from '../decisions/index.ts'
import { type Gathering, settle } from '../facts/index.ts'
import type { GroupKind } from '../images/index.ts'
import { annotate } from './annotations.ts'
import { type Examination, type Examined, examine } from './examine.ts'
import { type PatchOperation, patchAnnotations, patchImages } from './patch.ts'
import type { AdmissionRequest, JsonObject } from './review.ts'

/** The images of an object, and what was decided on each, in the same order. */
export interface Reviewed {
  readonly examined: readonly Examined[]
  readonly decisions: readonly Decision[]
}

/** An object, as far as it matters for which facts it may see. */
export interface PulledObject {
  readonly kind: GroupKind
  readonly namespace: string
  readonly object: JsonObject | undefined
}

export function sourceFor(
  source: FactSource | ((object: PulledObject) => FactSource),
  object: PulledObject,
): FactSource {
  return typeof source === 'function' ? source(object) : source
}

/** Finds the images of the object under review and decides on all of them together. */
export async function reviewImages(
  request: AdmissionRequest,
  how: Examination,
  gathering: Gathering,
): Promise<Reviewed> {
  const examined = examine(request, how)
  return { examined, decisions: await decideAll(examined, gathering) }
}

/** What is no reference has been decided on already; the others are asked for together. */
export async function decideAll(
  examined: readonly Examined[],
  gathering: Gathering,
): Promise<Decision[]> {
  const asked = examined.flatMap(({ question }) => question ?? [])
  const settled = await settle(asked, gathering)
  let next = 0
  return examined.map(({ decision }) => decision ?? (settled[next++] as Decision))
}

/** The patch that makes the object what was decided: its images, and its own annotations. */
export function resolutionPatch(
  request: AdmissionRequest,
  { examined, decisions }: Reviewed,
  prefix: string,
): PatchOperation[] {
  const patch = patchImages(examined, decisions)
  if (request.subResource === '') {
    patch.push(...patchAnnotations(request, annotate(request, examined, decisions, prefix)))
  }
  return patch
}
