import { TagwardenError } from '../errors.ts'
import { unlessAborted } from '../scheduling/index.ts'

/**
 * Work that several share or that knows no signal, with this one caller's own end of patience.
 * The work itself goes on.
 *
 * @param what who is waited for and for what, such as `auth.example.com did not give a token`
 * @throws TagwardenError ERR_REGISTRY_TIMEOUT when the signal ends first
 */
export function unlessTimedOut<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  what: string,
): Promise<T> {
  return unlessAborted(work, signal, () => {
    const message = `${what} before the caller stopped waiting`
    return new TagwardenError('ERR_REGISTRY_TIMEOUT', message, { cause: signal?.reason })
  })
}
