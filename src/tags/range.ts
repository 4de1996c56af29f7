import { type Comparator, meets, type Operator } from './comparator.ts'
import { ruleError } from './rule_error.ts'
import { exactPart, IDENTIFIERS, makeVersion, type Version } from './version.ts'

/** A compiled range of versions: one of the groups must hold, and in it every comparator. */
export interface VersionRange {
  /**
   * undefined: in the range. Prerelease: in its bounds, but no comparator of a group that holds
   * names a prerelease.
   */
  refuse(version: Version): 'OutOfRange' | 'Prerelease' | undefined
}

interface Group {
  readonly comparators: readonly Comparator[]
  readonly namesPrerelease: boolean
}

// Limits of Masterminds/semver 3.5.
const LONGEST_RANGE = 512
const MOST_GROUPS = 32
const NUMBER = '[0-9xX*|]+'
const VERSION = `v?(${NUMBER})(?:\\.(${NUMBER}))?(?:\\.(${NUMBER}))?(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?`
const SPACE = '[\\t\\n\\f\\r ]'
const HYPHEN = new RegExp(`${SPACE}*(${VERSION})${SPACE}+-${SPACE}+(${VERSION})${SPACE}*`, 'g')
const GAP = new RegExp(`${SPACE}*`, 'y')
const OPERATOR = />=|=>|<=|=<|!=|~>|[=><~^]?/y
const SPELLINGS: ReadonlyMap<string, Operator> = new Map([
  ['', '='],
  ['=>', '>='],
  ['=<', '<='],
  ['~>', '~'],
])

/**
 * Compiles a range in the grammar of Masterminds/semver 3.5, which Flux and Helm use: `>=1.2 <2`,
 * `~1.2`, `^1`, `1.2.x`, `1.2 - 1.4`, `!=1.3.0`, `>=1.0.0-0`; comma or space is AND, `||` is OR.
 * Prereleases count only in a group (between `||`) where a comparator names one, and then those of
 * every version in its bounds.
 *
 * @param field where the range stands, for the error
 * @throws TagwardenError ERR_INVALID_POLICY
 */
export function compileRange(source: string, field: string): VersionRange {
  if (source.length > LONGEST_RANGE) {
    throw wrong(field, `the range has ${source.length} characters, at most ${LONGEST_RANGE} count`)
  }
  const texts = source.replace(HYPHEN, rewriteHyphen).split('||')
  if (texts.length > MOST_GROUPS) {
    throw wrong(
      field,
      `the range has ${texts.length} groups between ||, at most ${MOST_GROUPS} count`,
    )
  }
  const groups = texts.map((text) => {
    const comparators = parseGroup(text)
    if (!comparators) {
      const part = texts.length > 1 ? `: ${JSON.stringify(text)} is no condition` : ''
      throw wrong(field, `${JSON.stringify(source)} is not a range of versions${part}`)
    }
    return {
      comparators,
      namesPrerelease: comparators.some(({ version }) => version.prerelease !== ''),
    }
  })
  return { refuse: (version) => refuse(groups, version) }
}

function wrong(field: string, message: string) {
  return ruleError(
    field,
    message,
    'Write conditions such as >=1.2.3 <2.0.0, ^1.2 or 1.2.x; * is every release, *-0 prereleases too',
  )
}

function refuse(groups: readonly Group[], version: Version) {
  let reason: 'OutOfRange' | 'Prerelease' = 'OutOfRange'
  for (const { comparators, namesPrerelease } of groups) {
    if (comparators.every((comparator) => meets(comparator, version))) {
      if (namesPrerelease || version.prerelease === '') {
        return undefined
      }
      reason = 'Prerelease'
    }
  }
  return reason
}

/** `1.2 - 1.4` is `>= 1.2, <= 1.4`. Each version has four groups within its own. */
function rewriteHyphen(...[, low, , , , , high]: string[]): string {
  return `>= ${low}, <= ${high} `
}

function parseGroup(text: string): Comparator[] | undefined {
  const comparators: Comparator[] = []
  const version = new RegExp(VERSION, 'y')
  let at = 0
  const take = (sticky: RegExp): RegExpExecArray | null => {
    sticky.lastIndex = at
    const found = sticky.exec(text)
    at += found?.[0].length ?? 0
    return found
  }
  take(GAP)
  do {
    const operator = take(OPERATOR)?.[0] ?? ''
    take(GAP)
    const found = take(version)
    const comparator = found ? makeComparator(operator, found) : undefined
    if (!comparator) {
      return undefined
    }
    comparators.push(comparator)
    const gap = take(GAP)?.[0] !== ''
    if (at === text.length) {
      return comparators
    }
    const separated = take(/,/y) ? take(GAP) !== null : gap
    if (!separated) {
      return undefined
    }
  } while (at < text.length)
  return undefined
}

const PARTS = ['major', 'minor', 'patch'] as const

function makeComparator(spelling: string, found: RegExpExecArray): Comparator | undefined {
  const texts = found.slice(1, 4)
  const open = texts.findIndex(isOpen)
  const [major, minor, patch] = texts.map((text, i) => (open < 0 || i < open ? exactPart(text) : 0))
  if (major === undefined || minor === undefined || patch === undefined) {
    return undefined
  }
  const version = makeVersion(major, minor, patch, found[4] ?? '')
  const operator = SPELLINGS.get(spelling) ?? (spelling as Operator)
  return version && { operator, version, open: PARTS[open] }
}

function isOpen(part: string | undefined): boolean {
  return part === undefined || part === 'x' || part === 'X' || part === '*'
}
