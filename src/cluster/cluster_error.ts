import { TagwardenError } from '../errors.ts'

/** What the API server answered, or that it could not be reached. */
export class ClusterError extends TagwardenError {
  /** HTTP status of the answer; 0 when there was none */
  readonly answer: number
  /**
   * `reason` of the Status, such as NotFound, AlreadyExists, Conflict, Forbidden, Expired, Invalid;
   * without an answer Unreachable, Timeout or Aborted (by the caller); StrangeAnswer when it is
   * none of an API server, TooLarge when it is longer than the limit
   */
  readonly reason: string

  constructor(
    message: string,
    options: {
      readonly answer: number
      readonly reason: string
      readonly remedy?: string | undefined
      readonly cause?: unknown
    },
  ) {
    super('ERR_CLUSTER', message, { remedy: options.remedy, cause: options.cause })
    this.answer = options.answer
    this.reason = options.reason
  }
}

/** Whether an error is the API server's, with this reason. */
export function hasReason(error: unknown, reason: string): boolean {
  return error instanceof ClusterError && error.reason === reason
}
