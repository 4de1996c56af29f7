import { compareParts, compareVersions, type Version } from './version.ts'

/** One condition of a range, such as `>=1.2`. */
export interface Comparator {
  readonly operator: Operator
  /** missing and wildcard parts are 0 */
  readonly version: Version
  /** the first part that is missing or a wildcard */
  readonly open: 'major' | 'minor' | 'patch' | undefined
}

export type Operator = '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | '^'

/**
 * Whether a version meets one condition, prereleases aside: who calls has seen to them. This is what
 * Masterminds/semver 3.5 answers, its odd corners included (`^*` admits 0.0.0 only, `<=*` only 0.x).
 */
export function meets(comparator: Comparator, version: Version): boolean {
  const { operator, open, version: bound } = comparator
  const order = compareVersions(version, bound)
  switch (operator) {
    case '>=':
      return order >= 0
    case '<':
      return order < 0
    case '=':
      return open ? meetsTilde(comparator, version, order) : order === 0
    case '!=':
      return isDifferent(comparator, version, order)
    case '>':
      return isAbove(comparator, version, order)
    case '<=':
      return open ? isAtMost(comparator, version) : order <= 0
    case '~':
      return meetsTilde(comparator, version, order)
    case '^':
      return order >= 0 && meetsCaret(comparator, version)
  }
}

// !=1.2.x leaves out all of 1.2
function isDifferent({ open, version: bound }: Comparator, version: Version, order: number) {
  if (open === undefined || open === 'major') {
    return order !== 0
  }
  if (!isSame(version.major, bound.major)) return true
  if (open === 'minor') return false
  return !isSame(version.minor, bound.minor) || version.prerelease !== bound.prerelease
}

// >1.2 is above all of 1.2
function isAbove({ open, version: bound }: Comparator, version: Version, order: number) {
  if (open === undefined || open === 'major') {
    return order > 0
  }
  const major = compareParts(version.major, bound.major)
  return major !== 0 ? major > 0 : open === 'patch' && version.minor > bound.minor
}

// <=1.2 includes all of 1.2
function isAtMost({ open, version: bound }: Comparator, version: Version) {
  const major = compareParts(version.major, bound.major)
  return major !== 0 ? major < 0 : open === 'minor' || version.minor <= bound.minor
}

// the same major and minor; ~1 the same major; ~0.0.0 and ~* anything
function meetsTilde({ open, version: bound }: Comparator, version: Version, order: number) {
  if (order < 0) return false
  const isZero = isSame(bound.major, 0) && isSame(bound.minor, 0) && isSame(bound.patch, 0)
  if (isZero && open !== 'minor' && open !== 'patch') return true
  if (!isSame(version.major, bound.major)) return false
  return open === 'minor' || isSame(version.minor, bound.minor)
}

// the same leftmost part that is not 0
function meetsCaret({ open, version: bound }: Comparator, version: Version) {
  if (!isSame(version.major, bound.major)) return false
  if (bound.major > 0 || open === 'minor') return true
  if (!isSame(version.minor, bound.minor)) return false
  return bound.minor > 0 || open === 'patch' || isSame(version.patch, bound.patch)
}

function isSame(a: number | bigint, b: number | bigint): boolean {
  return compareParts(a, b) === 0
}
