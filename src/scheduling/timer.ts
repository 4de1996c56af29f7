/** Runs something later; the function that it gives cancels that. */
export type Timer = (run: () => void, ms: number) => () => void

/** A timer that keeps no process alive. */
export function setUnreferencedTimer(run: () => void, ms: number): () => void {
  const timeout = setTimeout(run, ms).unref()
  return () => clearTimeout(timeout)
}
