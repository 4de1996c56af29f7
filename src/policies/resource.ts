import type { TagwardenError } from '../errors.ts'
import type { ObjectDocument } from './document.ts'
import type { NamespacedDraft, PolicyDraft } from './draft.ts'

/** What one object of a policy file gives. Of Flux's kinds, it is one half of a pair. */
export type PolicyResource =
  | { readonly type: 'policy'; readonly draft: PolicyDraft }
  | { readonly type: 'repository'; readonly draft: NamespacedDraft }
  | { readonly type: 'exception'; readonly draft: NamespacedDraft }
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
