import type { KubernetesObject } from '../cluster/types.ts'
import type { PullSecrets } from '../credentials/index.ts'
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
  readonly reason: 'InvalidImage' | 'InvalidSpec' | 'SecretNotFound'
  /** for people, with what to do */
  readonly message: string
}

/** The Secrets that ImageRepositories name. */
export type RepositorySecrets = Pick<
  PullSecrets,
  'repositoryAccess' | 'isReady' | 'ready' | 'refer' | 'onChange'
>

/** The part of a logger (such as pino) that this room uses. */
export interface RepositoryLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
