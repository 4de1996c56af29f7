/** Requests that run now. Whoever asks for the same shares one. */
export interface SharedRequests<T> {
  /**
   * Waits for the running request of this key, or for the one that `start` makes.
   *
   * @param start must not reject
   * @param signal lets this one waiter go, without a trace; the request goes on
   * @throws the signal's reason when it aborts
   */
  join(key: string, start: () => Promise<T>, signal?: AbortSignal): Promise<T>
  /** Whether a request of this key runs. */
  has(key: string): boolean
  /** Resolves when none runs any more. */
  idle(): Promise<void>
}

interface Request<T> {
  readonly done: Promise<void>
  readonly waiters: Set<(value: T) => void>
}

export function createSharedRequests<T>(): SharedRequests<T> {
  const running = new Map<string, Request<T>>()

  function begin(key: string, start: () => Promise<T>): Request<T> {
    const waiters = new Set<(value: T) => void>()
    const done = start().then((value) => {
      running.delete(key)
      for (const settle of waiters) settle(value)
    })
    const request = { done, waiters }
    running.set(key, request)
    return request
  }

  return {
    join(key, start, signal) {
      // Not a chain of promises: those who left would hang on it for as long as the request runs.
      const { waiters } = running.get(key) ?? begin(key, start)
      return new Promise((resolve, reject) => {
        const leave = () => {
          waiters.delete(settle)
          reject(signal?.reason)
        }
        const settle = (value: T) => {
          signal?.removeEventListener('abort', leave)
          resolve(value)
        }
        waiters.add(settle)
        signal?.addEventListener('abort', leave, { once: true })
      })
    },
    has: (key) => running.has(key),
    async idle() {
      while (running.size > 0) await Promise.all(Array.from(running.values(), ({ done }) => done))
    },
  }
}
