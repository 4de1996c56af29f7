import { destination, type Logger, pino } from 'pino'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'isLevelEnabled' | 'flush'>

/** JSON lines on standard error, so that standard output is for what a command answers. */
export function createLog(level: string): Log {
  return pino({ level, base: undefined }, destination({ dest: 2, sync: true }))
}
