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
  /** Calls the listener with each new certificate or CA. Returns how to end that. */
  subscribe(listener: (certificate: ServingCertificate) => void): () => void
  /** Looks at the files and the clock now, instead of at the next turn. Never rejects. */
  refresh(): Promise<void>
  /** Stops watching and renewing. Once it resolves, nothing is written to the folder any more. */
  close(): Promise<void>
}

export interface CertificateOptions {
  /** folder of `ca.crt`, `ca.key`, `tls.crt`, `tls.key`; made when it is missing */
  readonly path: string
  /** DNS names and IP addresses that clients use */
  readonly names: readonly string[]
  /** told once of each thing that goes wrong while the last good certificate stays in use */
  readonly onProblem?: (problem: TagwardenError) => void
  /** ms since the epoch */
  readonly clock?: () => number
  /** ms between two looks at files and clock, beside the file system's own notices; 10 s */
  readonly interval?: number
}

/** The PEM texts in the folder; undefined where there is no such file. */
export interface StoredCertificates {
  readonly 'ca.crt': string | undefined
  readonly 'ca.key': string | undefined
  readonly 'tls.crt': string | undefined
  readonly 'tls.key': string | undefined
}

/** A private key and its certificate, PEM. */
export interface KeyPair {
  readonly key: string
  readonly cert: string
}
