import type { Order } from './order.ts'
import { compileRange } from './range.ts'
import { ruleError } from './rule_error.ts'
import type { Candidate } from './types.ts'
import { compareVersions, parseVersion, type Version } from './version.ts'

/**
 * The highest version of a range first.
 *
 * @param identifier a prefix that every tag must have; what follows is then a version without `v`.
 *   The extract may have left it out already.
 * @throws TagwardenError ERR_INVALID_POLICY
 */
export function semverOrder(range: string, identifier: string | undefined): Order<Version> {
  const { refuse } = compileRange(range, 'order.semver.range')
  const prefix = identifier ?? ''
  if (!/^(?:\w[\w.-]{0,127})?$/.test(prefix)) {
    throw ruleError(
      'order.semver.identifier',
      `no tag begins with ${JSON.stringify(prefix)}`,
      'An identifier is the text before the version, such as v or release-; leave it out for none',
    )
  }
  const suffix = prefix === '' || prefix === 'v' ? '' : ` after ${prefix}`
  return {
    description: `semver ${range}${suffix}`,
    needsDigests: false,
    read: (candidate) =>
      (prefix === '' ? parseVersion(candidate.version) : readAfter(prefix, candidate)) ??
      'NotAVersion',
    refuse,
    compare: compareVersions,
  }
}

function readAfter(prefix: string, { tag, version }: Candidate): Version | undefined {
  if (!tag.startsWith(prefix)) {
    return undefined
  }
  const rest = version.startsWith(prefix) ? version.slice(prefix.length) : version
  return rest.startsWith('v') ? undefined : parseVersion(rest)
}
