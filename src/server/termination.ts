import type { ServerOptions } from './types.ts'

interface Termination {
  /** what has to be done before the process may end */
  readonly stop: () => Promise<void>
  readonly log: ServerOptions['log']
  /** tests give their own */
  readonly process?: Pick<NodeJS.Process, 'on' | 'exit'>
  /** ms */
  readonly clock?: () => number
}

/** A terminal and npm both pass Ctrl-C on: two signals within this time, in ms, are one. */
const SAME = 500

/**
 * Ends the process on SIGTERM or SIGINT: the first one stops in good order and exits 0, a second
 * one exits at once. A stop that fails exits 2.
 *
 * @example
 *   onTermination({ stop: () => server.stop(), log })
 */
export function onTermination(options: Termination): void {
  const { stop, log, process = globalThis.process, clock = () => performance.now() } = options
  let first: number | undefined
  const end = (signal: NodeJS.Signals) => {
    if (first !== undefined && clock() - first < SAME) {
      return
    }
    if (first !== undefined) {
      log.warn({ signal }, 'stopping at once')
      process.exit(signal === 'SIGINT' ? 130 : 143)
      return
    }
    first = clock()
    log.info({ signal }, 'stopping; a second signal stops at once')
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed')
        process.exit(2)
      },
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
}
