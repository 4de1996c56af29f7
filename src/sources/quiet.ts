export interface QuietOptions {
  /** ms without another call before it runs; default 50 */
  readonly quiet?: number | undefined
  /** ms after the first call at which it runs in any case; default 500 */
  readonly longest?: number | undefined
}

/** Runs once for many calls. */
export interface Quiet {
  call(): void
  /** Runs now what is called for. */
  flush(): void
  /** Forgets what is called for. */
  cancel(): void
}

/** Waits until nobody has called for a moment, but not for ever. Keeps no process alive. */
export function whenQuiet(run: () => void, options: QuietOptions = {}): Quiet {
  const { quiet = 50, longest = 500 } = options
  let timer: NodeJS.Timeout | undefined
  let since = 0

  function cancel(): void {
    clearTimeout(timer)
    timer = undefined
  }
  function flush(): void {
    if (timer === undefined) return
    cancel()
    run()
  }
  return {
    call() {
      const now = performance.now()
      if (timer === undefined) since = now
      clearTimeout(timer)
      const wait = Math.max(0, Math.min(quiet, since + longest - now))
      timer = setTimeout(flush, wait).unref()
    },
    flush,
    cancel,
  }
}
