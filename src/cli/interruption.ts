import { INTERRUPTED } from './report_output.ts'

/** Ctrl-C, and being told to stop, for a command that ends with what it has found so far. */
export interface Interruption {
  readonly signal: AbortSignal
  /**
   * From then on they have their usual effect; unless one has come: then its echo must not cut off
   * what is still being written.
   */
  end(): void
}

export function onInterruption(): Interruption {
  const stopping = new AbortController()
  let told = 0
  const stop = () => {
    // The launcher passes on what the terminal has sent already; who insists a second later, means it.
    if (told > 0 && Date.now() - told > 1_000) process.exit(INTERRUPTED)
    told ||= Date.now()
    stopping.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return {
    signal: stopping.signal,
    end() {
      if (told > 0) return
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
    },
  }
}
