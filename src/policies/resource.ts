import type { TagwardenError } from '../errors.ts'
import type { ObjectDocument } from './document.ts'
import type { PolicyDraft } from './draft.ts'

/** What one object of a policy file gives: a policy, or one half of a Flux pair. */
export type PolicyResource =
  | { readonly type: 'policy'; readonly draft: PolicyDraft }
  | ({ readonly type: 'FluxImagePolicy' } & FluxObject)
  | ({ readonly type: 'FluxImageRepository' } & FluxObject)

/** A Flux object; its spec is read when the pair is joined. */
export interface FluxObject {
  readonly namespace: string
  readonly name: string
  readonly document: ObjectDocument
}

/** What an object was read as. */
export interface Reading {
  readonly resources: readonly PolicyResource[]
  readonly problems: readonly TagwardenError[]
}
