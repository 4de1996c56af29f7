/** Every failure that Tagwarden names: code -> [HTTP status, exit code, what it means]. */
export const ERROR_TABLE = {
  ERR_USAGE: [400, 2, 'The command line is wrong'],
  ERR_INVALID_REFERENCE: [400, 2, 'The text is not an image reference'],
  ERR_INVALID_POLICY: [422, 2, 'A policy is wrong'],
  ERR_INVALID_CONFIG: [500, 2, 'The configuration is wrong'],
  ERR_INVALID_TAGS: [400, 2, 'The list of tags is wrong'],
  ERR_INVALID_REVIEW: [400, 2, 'The request body is not an AdmissionReview that can be answered'],
  ERR_INVALID_MANIFEST: [422, 2, 'A manifest cannot be read'],
  ERR_BODY_TOO_LARGE: [413, 2, 'The request body is larger than the limit'],
  ERR_REGISTRY_UNREACHABLE: [502, 2, 'The registry could not be reached'],
  ERR_REGISTRY_TIMEOUT: [504, 2, 'The registry did not answer in time'],
  ERR_REGISTRY_UNAUTHORIZED: [502, 2, 'The registry refused the credentials'],
  ERR_REGISTRY_NOT_FOUND: [502, 2, 'The registry does not have what was asked for'],
  ERR_REGISTRY_RATE_LIMITED: [502, 2, 'The registry asks to slow down'],
  ERR_REGISTRY_RESPONSE: [502, 2, 'The registry sent something that cannot be used'],
  ERR_REGISTRY_LIMIT: [502, 2, 'The registry sent more than the limit'],
  ERR_REGISTRY_REDIRECT: [502, 2, 'The registry pointed to a place that is not followed'],
  ERR_REGISTRY_DIGEST: [502, 2, 'The content does not have the digest that was asked for'],
  ERR_CREDENTIALS: [500, 2, 'The credentials file is wrong'],
  ERR_CATALOG: [500, 2, 'The stored index cannot be read or written'],
  ERR_CERTIFICATE: [500, 2, 'The certificate cannot be made, read or used'],
  ERR_LISTEN: [500, 2, 'The server cannot listen'],
  ERR_GIT: [500, 2, 'Git could not say what has changed'],
  ERR_WRITE: [500, 2, 'A file cannot be written'],
  ERR_CLUSTER: [502, 2, 'The Kubernetes API server refused or could not be reached'],
} as const satisfies Record<string, readonly [status: number, exit: number, meaning: string]>

/** The code of a failure. Test this, not the message. */
export type ErrorCode = keyof typeof ERROR_TABLE

/** Where in a file something stands; line and column count from 1. */
export interface Position {
  readonly file: string
  readonly line?: number | undefined
  readonly column?: number | undefined
  /** dotted path of the field, such as `spec.order.semver.range` */
  readonly field?: string | undefined
}

/**
 * A failure of the world around Tagwarden (input, registry, disk, cluster), never a denial:
 * a denied image is a Decision.
 *
 * @example
 *   throw new TagwardenError('ERR_CERTIFICATE', 'certs/tls.key cannot be read', {
 *     remedy: 'Delete the folder certs and start again',
 *     cause,
 *   })
 */
export class TagwardenError extends Error {
  readonly code: ErrorCode
  /** what to do next, one sentence without a full stop; empty when there is nothing to say */
  readonly remedy: string
  readonly position: Position | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      cause?: unknown
      remedy?: string | undefined
      position?: Position | undefined
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TagwardenError'
    this.code = code
    this.remedy = options.remedy ?? ''
    this.position = options.position
  }

  /** HTTP status that a server answers with. */
  get status(): number {
    return ERROR_TABLE[this.code][0]
  }

  /** Exit code of a command that ends with this failure. */
  get exitCode(): number {
    return ERROR_TABLE[this.code][1]
  }
}

/** `file:line:column`, as far as it is known. */
export function formatPosition(position: Position): string {
  const place = [position.file, position.line, position.line && position.column]
  return place.filter((part) => part !== undefined && part !== 0).join(':')
}

/** One line for people: where, what, and the remedy. */
export function describeError(error: unknown): string {
  if (!(error instanceof TagwardenError)) {
    return error instanceof Error ? error.message : String(error)
  }
  const where = error.position ? `${formatPosition(error.position)}: ` : ''
  const field = error.position?.field ? `${error.position.field}: ` : ''
  const remedy = error.remedy ? `. ${error.remedy}` : ''
  return `${where}${field}${error.message}${remedy}`
}

/** An error and what caused it, the outermost first: five at most, and of several at once the first. */
export function* causesOf(error: unknown): Generator<Error> {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; depth += 1) {
    yield at
    at = at.cause ?? (at instanceof AggregateError ? at.errors[0] : undefined)
  }
}
