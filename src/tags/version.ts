import { compareTexts } from '../pieces/index.ts'

/** A whole number up to 2^64 - 1; a bigint only where a number would not be exact. */
export type Part = number | bigint

/** A semantic version without its build metadata, which has no rank. */
export interface Version {
  readonly major: Part
  readonly minor: Part
  readonly patch: Part
  /** empty for a release */
  readonly prerelease: string
  /** never falls as versions rise, so versions with different scores need no comparison */
  readonly score: number
}

export const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const SUFFIX = new RegExp(`^(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?$`)
const LEADING_ZERO = /(?:^|\.)0\d+(?:\.|$)/
const DIGITS = /^\d+$/
/** Masterminds/semver 3.5 reads no longer version. */
const LONGEST_VERSION = 256

/**
 * Reads a version of three numbers, with or without a leading `v`, as semver.org 2.0 has it, except
 * that the numbers may have leading zeros. They go up to 2^64 - 1.
 */
export function parseVersion(text: string): Version | undefined {
  const start = text.startsWith('v') ? 1 : 0
  const firstDot = text.indexOf('.', start)
  const secondDot = text.indexOf('.', firstDot + 1)
  if (firstDot < 0 || secondDot < 0 || text.length > LONGEST_VERSION) {
    return undefined
  }
  let end = secondDot + 1
  while (isDigit(text.charCodeAt(end))) end++
  const major = readPart(text, start, firstDot)
  const minor = readPart(text, firstDot + 1, secondDot)
  const patch = readPart(text, secondDot + 1, end)
  if (major === undefined || minor === undefined || patch === undefined) {
    return undefined
  }
  if (end === text.length) {
    return makeVersion(major, minor, patch, '')
  }
  const suffix = SUFFIX.exec(text.slice(end))
  return suffix ? makeVersion(major, minor, patch, suffix[1] ?? '') : undefined
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Digits from an index to another. Leading zeros are read, as Flux reads them: 2026.02.03. */
function readPart(text: string, from: number, to: number): Part | undefined {
  if (from === to) {
    return undefined
  }
  let value = 0
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if (!isDigit(code)) return undefined
    value = value * 10 + code - 48
  }
  return to - from < 16 ? value : exactPart(text.slice(from, to))
}

/**
 * The value of some digits.
 *
 * @returns undefined over 2^64 - 1, and for anything else than digits
 */
export function exactPart(digits: string): Part | undefined {
  if (!DIGITS.test(digits)) {
    return undefined
  }
  const exact = BigInt(digits)
  if (exact > 0xffff_ffff_ffff_ffffn) {
    return undefined
  }
  return exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact
}

/**
 * A version of its parts.
 *
 * @returns undefined when a number of the prerelease starts with a zero
 */
export function makeVersion(
  major: Part,
  minor: Part,
  patch: Part,
  prerelease: string,
): Version | undefined {
  if (prerelease !== '' && LEADING_ZERO.test(prerelease)) {
    return undefined
  }
  return { major, minor, patch, prerelease, score: score(major, minor) }
}

// 10 bits major, 21 bits minor: a small integer, which V8 stores and compares fastest. What does
// not fit takes the highest score that the major allows.
function score(major: Part, minor: Part): number {
  if (major >= 2 ** 10) {
    return 2 ** 31 - 1
  }
  return Number(major) * 2 ** 21 + (minor < 2 ** 21 ? Number(minor) : 2 ** 21 - 1)
}

/** Precedence by semver.org 2.0, section 11; negative: `a` is the older. */
export function compareVersions(a: Version, b: Version): number {
  return (
    compareParts(a.major, b.major) ||
    compareParts(a.minor, b.minor) ||
    compareParts(a.patch, b.patch) ||
    comparePrereleases(a.prerelease, b.prerelease)
  )
}

/** Numbers and bigints compare by value. */
export function compareParts(a: Part, b: Part): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function comparePrereleases(a: string, b: string): number {
  if (a === b) {
    return 0
  }
  if (a === '' || b === '') {
    return a === '' ? 1 : -1
  }
  const left = a.split('.')
  const right = b.split('.')
  for (const [i, x] of left.entries()) {
    const y = right[i]
    const order = y === undefined ? 1 : compareIdentifiers(x, y)
    if (order !== 0) {
      return order
    }
  }
  return left.length - right.length
}

function compareIdentifiers(a: string, b: string): number {
  if (a === b) {
    return 0
  }
  const numeric = DIGITS.test(a)
  if (numeric !== DIGITS.test(b)) {
    return numeric ? -1 : 1
  }
  if (numeric && a.length !== b.length) {
    return a.length - b.length
  }
  return compareTexts(a, b)
}
