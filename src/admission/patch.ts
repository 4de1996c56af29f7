import type { Decision } from '../decisions/index.ts'
import { escapeKey, pointerKeys } from '../images/index.ts'
import type { Examined } from './examine.ts'
import { type AdmissionRequest, isObject, type JsonObject, own } from './review.ts'

/** One step of a JSON Patch (RFC 6902), of the kinds that are needed here. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/** The patch as an AdmissionReview carries it: JSON in Base64; undefined when there is none. */
export function encodePatch(patch: readonly PatchOperation[]): string | undefined {
  return patch.length === 0 ? undefined : Buffer.from(JSON.stringify(patch)).toString('base64')
}

/** Replaces the images that change; nothing else of the object is touched. */
export function patchImages(
  examined: readonly Examined[],
  decisions: readonly Decision[],
): PatchOperation[] {
  return examined.flatMap(({ occurrence }, index): PatchOperation[] => {
    const to = decisions[index]?.change?.to
    return to === undefined || to === occurrence.value
      ? []
      : [{ op: 'replace', path: occurrence.pointer, value: to }]
  })
}

/** Brings the object's own annotations to what they should be; undefined takes a key away. */
export function patchAnnotations(
  request: AdmissionRequest,
  wanted: ReadonlyMap<string, string | undefined>,
): PatchOperation[] {
  const metadata = request.object && own(request.object, 'metadata')
  if (!isObject(metadata)) {
    return []
  }
  const annotations = own(metadata, 'annotations')
  if (!isObject(annotations)) {
    const value = Object.fromEntries([...wanted].filter((entry) => entry[1] !== undefined))
    return Object.keys(value).length === 0
      ? []
      : [{ op: 'add', path: '/metadata/annotations', value }]
  }
  const operations: PatchOperation[] = []
  for (const [key, value] of wanted) {
    const path = `/metadata/annotations/${escapeKey(key)}`
    const present = own(annotations, key)
    if (value === undefined) {
      if (present !== undefined) operations.push({ op: 'remove', path })
    } else if (present !== value) {
      operations.push({ op: 'add', path, value })
    }
  }
  return operations
}

/** The object with a patch of the functions above applied; what does not change is shared. */
export function applyPatch(object: JsonObject, patch: readonly PatchOperation[]): JsonObject {
  return patch.reduce(
    (result, step) => changed(result, pointerKeys(step.path), step) as JsonObject,
    object,
  )
}

function changed(place: unknown, [key = '', ...rest]: string[], step: PatchOperation): unknown {
  const copy = (Array.isArray(place) ? [...place] : { ...(place as JsonObject) }) as {
    [key: string]: unknown
  }
  if (rest.length > 0) copy[key] = changed(copy[key], rest, step)
  else if (step.op === 'remove') delete copy[key]
  else copy[key] = step.value
  return copy
}
