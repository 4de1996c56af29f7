import type { KubernetesObject } from '../cluster/types.ts'
import type { ImageRepositorySpec, ImageRepositoryStatus } from '../policies/types.ts'

/** An ImageRepository as the API server gives it. What is written by hand may lack defaults. */
export interface ImageRepository extends KubernetesObject {
  readonly spec: Partial<ImageRepositorySpec> & { readonly image: string }
  readonly status?: ImageRepositoryStatus
}

/** Label of the objects that Tagwarden made itself, and may remove. */
export const MANAGED_LABEL = 'tagwarden.io/managed'
/** Annotations whose every new value asks for a scan at once. */
export const SCAN_ANNOTATIONS = ['tagwarden.io/scan', 'reconcile.fluxcd.io/requestedAt'] as const

/** Why an ImageRepository can't be read, before any registry is asked. */
export interface RepositoryFault {
  readonly reason: 'InvalidImage' | 'InvalidExclusion' | 'SecretNotFound'
  /** for people, with what to do */
  readonly message: string
}
