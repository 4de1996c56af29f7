import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { ReviewHandler } from '../admission/index.ts'
import type { Certificates, ClientAuthority } from '../certificates/index.ts'

/** One condition of being ready. */
export interface ReadinessCheck {
  readonly name: string
  /** what is missing, for people; undefined when all is well */
  readonly problem: string | undefined
}

/** Who may ask for reviews. */
export interface ClientOptions {
  readonly authority: Pick<ClientAuthority, 'current' | 'subscribe'>
  /** common names or subject alternative names; empty: all that the CAs have signed */
  readonly names: readonly string[]
  /** Warn: others are answered too, and told in the log */
  readonly enforcement: 'Enforce' | 'Warn'
}

export interface ServerOptions {
  readonly certificates: Pick<Certificates, 'current' | 'subscribe'>
  /**
   * Name of a path -> who answers there: `mutate` answers `POST /mutate`. A TagwardenError that a
   * handler throws becomes its own HTTP status with a Kubernetes Status as body, whose message
   * kubectl shows; anything else becomes a 500 without details.
   */
  readonly handlers: Readonly<Record<string, ReviewHandler>>
  /**
   * Whose reviews are answered: the probes and metrics are for everybody. Others get 401 or 403
   * with a Status. Unless told, everybody may ask.
   */
  readonly clients?: ClientOptions | undefined
  /** asked at each `GET /readyz`; the server adds the certificate and its own draining */
  readonly ready: () => readonly ReadinessCheck[]
  readonly metrics: Registry
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** bytes; 32 MiB unless told */
  readonly bodyLimit?: number
  /** ms between saying "not ready" and closing the door, so that nobody is sent here any more */
  readonly drainDelay?: number
  /** ms that reviews under way get to end; 30 s unless told */
  readonly drainTimeout?: number
  /** ms that an idle connection is kept; 120 s unless told */
  readonly keepAliveTimeout?: number
  /** ms since the epoch */
  readonly clock?: () => number
  /** waits `drainDelay` ms; tests give their own */
  readonly sleep?: (ms: number) => Promise<unknown>
}

export interface Address {
  readonly address: string
  readonly port: number
  /** `https://address:port` */
  readonly url: string
}

export interface Server {
  /** @throws TagwardenError ERR_LISTEN */
  listen(where: { readonly address: string; readonly port: number }): Promise<Address>
  /**
   * Stops being ready, waits `drainDelay`, stops accepting, lets reviews under way end and busy
   * connections know, closes every connection. Resolves when all is closed; a second call returns
   * the same promise.
   */
  stop(): Promise<void>
  /**
   * When the first of the certificates ends that clients show, in ms since the epoch; undefined:
   * none was used in the last hour, or everybody may ask.
   */
  clientsEnd(): number | undefined
}
