import type { FactFailure } from '../decisions/ports.ts'
import type { ImageRepositoryStatus } from '../policies/types.ts'

const HELD = 'what was read before stays in force'
const UNKNOWN = 'nothing is known of it yet'
const REMEDY = '. Name a Secret with the right credentials in spec.secretRef'

/** The condition's reason for a failed scan. */
export function reasonOf({ code }: FactFailure): string {
  return code === 'ERR_REGISTRY_UNAUTHORIZED' || code === 'ERR_CREDENTIALS'
    ? 'AuthenticationFailed'
    : 'ReadOperationFailed'
}

/** The condition's message for a failed scan, or for one that is not made. */
export function failureText(
  failure: FactFailure,
  secret: string | undefined,
  isKnown: boolean,
): string {
  const asks = reasonOf(failure) === 'AuthenticationFailed' && secret === undefined
  return `${failure.message}${asks ? REMEDY : ''}; ${heldText(isKnown)}`
}

export function heldText(isKnown: boolean): string {
  return isKnown ? HELD : UNKNOWN
}

/**
 * The failure that a status tells of, so that every replica says of it what the leader met;
 * undefined when the last scan went well, or none was made.
 */
export function failureIn(status: ImageRepositoryStatus | undefined): FactFailure | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const isAuthentication = ready?.reason === 'AuthenticationFailed'
  if (ready?.status !== 'False') return undefined
  if (!isAuthentication && ready.reason !== 'ReadOperationFailed') return undefined
  const message = [`; ${HELD}`, `; ${UNKNOWN}`, REMEDY].reduce(
    (text, end) => (text.endsWith(end) ? text.slice(0, -end.length) : text),
    ready.message,
  )
  // It is of the scan after the last good one, of which the second is known only.
  const at = Math.max(
    Date.parse(ready.lastTransitionTime) || 0,
    (Date.parse(status?.lastScanTime ?? '') || 0) + 1_000,
  )
  const code = isAuthentication ? 'ERR_REGISTRY_UNAUTHORIZED' : 'ERR_REGISTRY_UNREACHABLE'
  return Object.freeze({ code, message, at })
}
