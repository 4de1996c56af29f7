import type { RegistryConnection } from './types.ts'

/** One request, without redirects, retries or credentials of its own. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  /** bytes of a good answer's body; more is ERR_REGISTRY_LIMIT */
  readonly limit: number
  /** path of a PEM file */
  readonly certificateAuthority: string | undefined
  readonly connection?: RegistryConnection | undefined
  readonly signal: AbortSignal | undefined
}

/** An answer of any status, wholly read. Of a status other than 200 only the first 64 KiB. */
export interface HttpAnswer {
  readonly url: URL
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** Sends a request and reads the answer. Throws ERR_REGISTRY_UNREACHABLE, _TIMEOUT and the like. */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>
