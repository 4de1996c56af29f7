import type { TagwardenError } from '../errors.ts'
import { documentProblem, type ObjectDocument } from './document.ts'
import type { Flaw, Path } from './flaw.ts'

/** One object in the native shape, whatever form it was written in; not yet checked. */
export interface Draft {
  readonly namespace: string | undefined
  readonly name: string
  /** for people: `ImagePolicy shop/web` */
  readonly title: string
  /** the native spec; checking it fills in its defaults */
  readonly spec: unknown
  readonly document: ObjectDocument
  /** where parts of the spec stand in what the author wrote; the first that fits counts */
  readonly places: readonly Place[]
}

export interface PolicyDraft extends Draft {
  readonly kind: 'ImagePolicy' | 'ClusterImagePolicy'
}

/** An ImageRepository or an ImagePolicyException. */
export interface NamespacedDraft extends Draft {
  readonly namespace: string
}

/** A part of the native spec, and where its author wrote it. */
export interface Place {
  readonly native: Path
  readonly written: Path
  /** another object than the draft's own */
  readonly document?: ObjectDocument
}

/** `ImagePolicy shop/web`, `ClusterImagePolicy base` */
export function titleOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`
}

/** The error for a flaw of a draft's spec, at the place where the author wrote it. */
export function draftProblem(draft: Draft, flaw: Flaw, cause?: unknown): TagwardenError {
  const place = draft.places.find(({ native }) =>
    native.every((segment, index) => segment === flaw.path[index]),
  )
  if (place === undefined)
    return documentProblem(draft.document, { ...flaw, path: ['spec'] }, cause)
  const path = [...place.written, ...flaw.path.slice(place.native.length)]
  return documentProblem(place.document ?? draft.document, { ...flaw, path }, cause)
}
