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

/** The Secrets that ImageRepositories name; done by `credentials`. */
export interface RepositorySecrets {
  /**
   * How an ImageRepository is read.
   *
   * @returns id: of the access; undefined for the installation's own. problem: why it can't be used
   *   now and what to do, when it can't
   */
  repositoryAccess(
    namespace: string,
    reading: Pick<ImageRepositorySpec, 'secretRef' | 'certSecretRef' | 'proxySecretRef'> & {
      readonly name: string
      readonly insecure?: boolean | undefined
    },
  ): { readonly id: string | undefined; readonly problem: string | undefined }
  /** The Secrets that an owner names are followed for it; none: no more. */
  refer(owner: string, namespace: string, names: Iterable<string>): void
  /** Calls when an access has changed, has come or is gone. */
  onChange(listener: (accessId: string | undefined) => void): () => void
}

/** The part of a logger (such as pino) that this room uses. */
export interface RepositoryLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
