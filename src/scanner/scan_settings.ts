import type { CompiledRepository } from '../policies/types.ts'
import type { Pace } from './schedule.ts'

/** How one repository is scanned, where that differs from the rest: what an ImageRepository says. */
export interface ScanSettings extends Pace {
  /** ms that a scan has; a request that somebody waits for has no more than usual */
  readonly timeout?: number | undefined
  /** tags that are left out of the index, as if the registry did not have them */
  readonly excludes?: ((tag: string) => boolean) | undefined
}

/** How the scanner is to read a repository. */
export function scanSettingsOf(repository: CompiledRepository): ScanSettings {
  const { interval, timeout, suspend, exclusionList, excludes } = repository
  return { interval, timeout, suspend, ...(exclusionList.length > 0 && { excludes }) }
}
