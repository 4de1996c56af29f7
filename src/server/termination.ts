import type { ServerOptions } from './types.ts'

interface Termination {
  /** what has to be done before the process may end */
  readonly stop: () => Promise<void>
  readonly log: ServerOptions['log']
  /** tests give their own */
  readonly process?: Pick<NodeJS.Process, 'on' | 'exit'>
}

/**
 * Ends the process on SIGTERM or SIGINT: the first one stops in good order and exits 0, a second
 * one exits at once. A stop that fails exits 2.
 *
 * @example
 *   onTermination({ stop: () => server.stop(), log })
 */
export function onTermination({ stop, log, process = globalThis.process }: Termination): void {
  let stopping = false
  const end = (signal: NodeJS.Signals) => {
    if (stopping) {
      log.warn({ signal }, 'stopping at once')
      process.exit(signal === 'SIGINT' ? 130 : 143)
      return
    }
    stopping = true
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
