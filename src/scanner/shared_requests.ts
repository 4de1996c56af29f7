/** Requests that run now. Whoever asks for the same shares one. */
export interface SharedRequests<T> {
  /** The running request of this key, or the one that `start` makes. */
  join(key: string, start: () => Promise<T>): Promise<T>
  /** Resolves when none runs any more. */
  idle(): Promise<void>
}

export function createSharedRequests<T>(): SharedRequests<T> {
  const running = new Map<string, Promise<T>>()
  return {
    join(key, start) {
      const there = running.get(key)
      if (there) return there
      const request = start().finally(() => running.delete(key))
      running.set(key, request)
      return request
    },
    async idle() {
      while (running.size > 0) await Promise.allSettled(running.values())
    },
  }
}

/** The promise, or a rejection with the signal's reason as soon as it aborts. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
