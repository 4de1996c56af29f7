import type { TagwardenError } from '../errors.ts'

/** A serving certificate ready for use; PEM texts, times in ms since the epoch. Frozen. */
export interface ServingCertificate {
  readonly key: string
  /** the leaf, followed by intermediates where a user gave some */
  readonly cert: string
  /**
   * what a client has to trust, for `caBundle`: the CA, and the one before it while it lasts;
   * empty when the certificate was given without a CA and is not its own
   */
  readonly ca: string
  readonly notBefore: number
  readonly notAfter: number
  /** whether a client whose clock says `now` accepts it */
  valid(now: number): boolean
}

/** The certificate in use, and what happens to it. */
export interface Certificates {
  current(): ServingCertificate
  /**
   * Whether the webhook configurations trust the certificate in use, as far as that is told by
   * `noteTrusted`; always true for a store that is not told.
   */
  trusted(): boolean
  /**
   * Tells all replicas that every webhook configuration now holds this bundle (PEM). Only then do
   * they serve, and sign, what needs it. Rejects with a TagwardenError when it can't be told.
   */
  noteTrusted(bundle: string): Promise<void>
  /** Calls the listener with each new certificate or CA. Returns how to end that. */
  subscribe(listener: (certificate: ServingCertificate) => void): () => void
  /** Looks at the store and the clock now, instead of at the next turn. Never rejects. */
  refresh(): Promise<void>
  /** Stops watching and renewing. Once it resolves, nothing is written to the store any more. */
  close(): Promise<void>
}

export interface CertificateOptions {
  readonly store: CertificateStore
  /** DNS names and IP addresses that clients use */
  readonly names: readonly string[]
  /** told once of each thing that goes wrong while the last good certificate stays in use */
  readonly onProblem?: (problem: TagwardenError) => void
  /** ms since the epoch */
  readonly clock?: () => number
  /** ms between two looks at store and clock, beside the store's own notices; 10 s */
  readonly interval?: number
}

/** The names of what is in the store. */
export const FILE_NAMES = Object.freeze(['ca.crt', 'ca.key', 'tls.crt', 'tls.key'] as const)
export type FileName = (typeof FILE_NAMES)[number]

/** The PEM texts in the store; undefined where there is no such file. */
export type StoredCertificates = Readonly<Record<FileName, string | undefined>>

/** What a store held at one moment. */
export interface Stored {
  readonly files: StoredCertificates
  /** changes with every write */
  readonly version: string
  /** fingerprints of the CAs that clients are known to trust; undefined: nobody says */
  readonly trusted: ReadonlySet<string> | undefined
}

/** New texts, in an order in which each state between two of them can be used or mended. */
export type FileChanges = readonly (readonly [name: FileName, text: string])[]

/** Where certificates are kept: a folder, or a Secret that replicas share. */
export interface CertificateStore {
  /** for people: the path, or `Secret tagwarden/tagwarden-certificates` */
  readonly place: string
  /** whether what is lost there is put back from memory; otherwise it is made anew */
  readonly restores: boolean
  /** @throws TagwardenError when something is there that can't be read */
  read(): Promise<Stored>
  /** Writes the changes, unless somebody has written since `seen` was read. */
  write(changes: FileChanges, seen: Stored): Promise<'written' | 'conflict'>
  /** Says to all who share the store which CAs (fingerprints) clients trust. */
  noteTrusted?(fingerprints: readonly string[]): Promise<void>
  /** Calls at each change, and may call without one. Returns how to end that. */
  watch(onChange: () => void, onProblem: (problem: TagwardenError) => void): () => void
}

/** A private key and its certificate, PEM. */
export interface KeyPair {
  readonly key: string
  readonly cert: string
}
