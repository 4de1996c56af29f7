import type { RegistryAccess } from '../registry/types.ts'

/** The workload whose images are to be pulled. */
export interface PullWorkload {
  readonly namespace: string
  /** undefined, as of a custom kind: no service account counts */
  readonly serviceAccountName: string | undefined
  /** names, in order */
  readonly imagePullSecrets: readonly string[]
}

/** How an ImageRepository says that it is read. */
export interface RepositoryReading {
  /** normalised name of the repository */
  readonly name: string
  readonly secretRef?: { readonly name: string } | undefined
  readonly certSecretRef?: { readonly name: string } | undefined
  readonly proxySecretRef?: { readonly name: string } | undefined
  readonly insecure?: boolean | undefined
}

/** The part of a logger (such as pino) that this room uses. */
export interface CredentialLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/**
 * The pull secrets that Tagwarden may read, followed as long as they may be. All questions are
 * answered from memory; no answer holds beyond a change of the Secret.
 *
 * The id of an access is `namespace/secret`; what an ImageRepository says beside its secretRef
 * follows, as in `shop/regcred,cert=web-tls,proxy=corp,insecure`.
 */
export interface PullSecrets {
  /**
   * How a workload's image is read: by the first that has an entry for it of the workload's own
   * pull secrets, those of its service account, and the ImageRepository of its namespace. Of the
   * workload's and its account's, one that the registry has refused comes after the others.
   *
   * @param name normalised name of the repository
   * @returns undefined: as the installation does
   */
  accessFor(workload: PullWorkload, name: string): RegistryAccess | undefined
  /** A registry has refused an access for a repository: another may be tried. */
  noteRefused(accessId: string, name: string): void
  /** What is held of an access now; undefined: it can't be used. For `ScannerOptions.access`. */
  access(id: string): RegistryAccess | undefined
  /**
   * How an ImageRepository is read.
   *
   * @returns id: undefined for the installation's own. problem: why it can't be used now and what
   *   to do, when it can't
   */
  repositoryAccess(
    namespace: string,
    reading: RepositoryReading,
  ): { readonly id: string | undefined; readonly problem: string | undefined }
  /**
   * The Secrets that somebody (such as `ImageRepository shop/web`) refers to; these and no others
   * are followed for it, whatever their type, where they may be read at all.
   *
   * @param names empty: none any more
   */
  refer(owner: string, namespace: string, names: Iterable<string>): void
  /** The installation's own pull secrets. For `RegistryClientOptions.credential`. */
  readonly installation: NonNullable<RegistryAccess['credential']>
  /** Whether a namespace has anything that may be read, as far as is known. */
  reads(namespace: string): boolean
  /** Whether all that a namespace has is known, or refused by the API server. */
  isReady(namespace: string): boolean
  /** Resolves when it is; never rejects. */
  ready(namespace: string): Promise<void>
  /** All that was there in the beginning is known, or refused by the API server. */
  readonly synced: Promise<void>
  /**
   * Calls when an access has changed, has come or is gone. For `Scanner.renew`.
   *
   * @param listener accessId undefined: the installation's own
   * @returns ends it
   */
  onChange(listener: (accessId: string | undefined) => void): () => void
  /** Ends all watches; forgets all. */
  close(): Promise<void>
}
