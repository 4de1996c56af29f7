/** Runs something later; the function that it gives cancels that. */
export type Timer = (run: () => void, ms: number) => () => void

/** A timer that keeps the process alive. */
export function setTimer(run: () => void, ms: number): () => void {
  const timeout = setTimeout(run, ms)
  return () => clearTimeout(timeout)
}

/** A timer that keeps no process alive. */
export function setUnreferencedTimer(run: () => void, ms: number): () => void {
  const timeout = setTimeout(run, ms).unref()
  return () => clearTimeout(timeout)
}

/** Resolves after so many ms, or as soon as the signal aborts. */
export function pause(
  ms: number,
  signal: AbortSignal,
  timer: Timer = setUnreferencedTimer,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) return resolve()
    const end = () => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = timer(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
