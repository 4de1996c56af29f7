import { destination, type Logger, pino } from 'pino'
import type { Config } from '../config/index.ts'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'isLevelEnabled' | 'flush'>

const LEVELS: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
}

/**
 * Writes to standard error, so that standard output is for what a command answers: JSON lines, or
 * plain lines where the configuration asks for them or a terminal is there.
 */
export function createLog({ level, format }: Config['log']): Log {
  const text = format === 'Text' || (format === 'Auto' && process.stderr.isTTY === true)
  if (!text) {
    return pino({ level, base: null }, destination({ dest: 2, sync: true }))
  }
  return pino({ level, base: null }, { write: (line) => void process.stderr.write(plain(line)) })
}

function plain(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const at = new Date(Number(time)).toISOString().slice(11, 19)
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return `${at} ${(LEVELS[Number(level)] ?? String(level)).padEnd(5)} ${msg} ${rest.join(' ')}`
    .trimEnd()
    .concat('\n')
}
