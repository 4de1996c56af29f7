import { TagwardenError } from '../errors.ts'

/**
 * Work that several share or that knows no signal, with this one caller's own end of patience.
 * The work itself goes on.
 *
 * @param what who is waited for and for what, such as `auth.example.com did not give a token`
 * @throws TagwardenError ERR_REGISTRY_TIMEOUT when the signal ends first
 */
export function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  what: string,
): Promise<T> {
  if (signal === undefined) return work
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const abort = () => {
    const message = `${what} before the caller stopped waiting`
    reject(new TagwardenError('ERR_REGISTRY_TIMEOUT', message, { cause: signal.reason }))
  }
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  return promise
}
