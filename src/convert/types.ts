import type { TagwardenError } from '../errors.ts'

/** An object of tagwarden.io, without what has its default. */
export interface NativeObject {
  readonly apiVersion: 'tagwarden.io/v1alpha1'
  readonly kind: 'ImagePolicy' | 'ClusterImagePolicy' | 'ImageRepository'
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined }
  readonly spec: Fields
}

export type Fields = Readonly<Record<string, unknown>>

/** What an object was converted from. */
export interface Source {
  /** for people: `Deployment shop/web (web.yaml:1)` */
  readonly title: string
  /** of the workload that it is; none of what only speaks of workloads */
  readonly labels: Readonly<Record<string, string>>
}

/** One object, and what of it is not the same as before. */
export interface Converted {
  readonly object: NativeObject
  readonly sources: readonly Source[]
  /** its author gave it its name, by which others know it */
  readonly named?: true
  /** sentences for people */
  readonly notes: readonly string[]
}

/** What could not be converted at all. */
export interface LeftOut {
  readonly title: string
  readonly reason: string
}

/** What came of some documents. */
export interface Conversion {
  readonly objects: readonly Converted[]
  readonly leftOut: readonly LeftOut[]
  /** what is wrong with the documents themselves */
  readonly problems: readonly TagwardenError[]
}

/** What one reader of foreign objects found. */
export type Found = Omit<Conversion, 'problems'>
