import { type Catalog, describeKey } from '../catalog/index.ts'
import type { FactFailure } from '../decisions/ports.ts'
import { describeError } from '../errors.ts'

/** Of so many repositories it is remembered that they fail, to tell it once. */
const MOST_FAILING = 10_000

/** The part of a logger (such as pino) that the scanner uses. */
export interface ScanLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Tells of scans: of what fails once, and once when it can be scanned again. */
export interface ScanReport {
  scanned(key: string, failure: FactFailure | undefined, error: unknown): void
  forget(key: string): void
}

export function createScanReport(
  catalog: Pick<Catalog, 'get'>,
  log: ScanLog | undefined,
): ScanReport {
  const failing = new Set<string>()
  return {
    scanned(key, failure, error) {
      const fields = { repository: key, code: failure?.code }
      const name = describeKey(key)
      if (failure && !failing.has(key) && failing.size < MOST_FAILING) {
        failing.add(key)
        log?.warn(fields, `${name} cannot be scanned: ${describeError(error)}`)
      } else if (failure) {
        log?.debug(fields, `${name} cannot be scanned: ${describeError(error)}`)
      } else if (failing.delete(key)) {
        log?.info(fields, `${name} can be scanned again`)
      } else {
        log?.debug({ ...fields, tags: catalog.get(key)?.tags.length }, `${name} is scanned`)
      }
    },
    forget: (key) => void failing.delete(key),
  }
}
