import { RE2JS, RE2JSException } from 're2js'
import { createWeakCache } from '../pieces/index.ts'
import { type GroupNumbers, withoutDoubleNames } from './group_names.ts'
import { LONGEST_NATIVE, nativeRegExp } from './native_pattern.ts'
import { ruleError } from './rule_error.ts'

/** The whole match, then the groups; undefined where a group took no part. */
export type Match = readonly (string | undefined)[]

/** A compiled pattern in Go (RE2) syntax. Searches anywhere in the text; takes linear time. */
export interface Pattern {
  /** the numbers of the groups of each name */
  readonly groups: GroupNumbers
  /** what a search costs: instructions of the compiled program; 0 where it runs natively */
  readonly size: number
  test(text: string): boolean
  /** the leftmost match, preferring as Perl does; undefined when there is none */
  match(text: string): Match | undefined
}

const LONGEST_PATTERN = 1024
/** Instructions of the compiled program; `x{1000}` takes about a thousand. */
const LARGEST_PROGRAM = 5000
/**
 * The same where groups are asked for. re2js finds those of up to 500 instructions by a search that
 * takes a tenth of a millisecond for the worst tag, and of more by one that takes sixty.
 */
const LARGEST_WITH_GROUPS = 450

const compiled = createWeakCache<Pattern>()

/**
 * Compiles a pattern; equal ones are one while any of them is in use. Most patterns that people
 * write run as a native RegExp, about ten times faster; all others, and texts that are longer than
 * any tag, run in re2js.
 *
 * @param field where the pattern stands, for the error
 * @throws TagwardenError ERR_INVALID_POLICY
 */
export function compilePattern(source: string, field: string): Pattern {
  return compiled(source, () => makePattern(source, field))
}

function makePattern(source: string, field: string): Pattern {
  const { text: plain, groups } = withoutDoubleNames(source)
  const re2 = compileRe2(plain, field)
  const native = nativeRegExp(source)
  const fast = (text: string): RegExp | undefined =>
    text.length <= LONGEST_NATIVE ? native : undefined
  return {
    groups,
    size: native ? 0 : re2.programSize(),
    test: (text) => (fast(text) ?? re2).test(text),
    match: (text) => {
      const regExp = fast(text)
      return regExp ? (regExp.exec(text) ?? undefined) : matchRe2(re2, text)
    },
  }
}

/**
 * Holds the patterns that every tag is searched with together to what one of them may be.
 *
 * @throws TagwardenError ERR_INVALID_POLICY
 */
export function limitTogether(patterns: readonly Pattern[], field: string): void {
  const total = patterns.reduce((sum, { size }) => sum + size, 0)
  if (total > LARGEST_PROGRAM) {
    throw ruleError(
      field,
      `the patterns are too large together: they compile to ${total} instructions, at most ${LARGEST_PROGRAM} are allowed`,
      'Use fewer patterns, or smaller repetition counts',
    )
  }
}

/**
 * Holds a pattern whose groups are asked for to what can be searched fast.
 *
 * @throws TagwardenError ERR_INVALID_POLICY
 */
export function limitWithGroups({ size }: Pattern, field: string): void {
  if (size > LARGEST_WITH_GROUPS) {
    throw ruleError(
      field,
      `the pattern is too large for one whose groups are read: it compiles to ${size} instructions, at most ${LARGEST_WITH_GROUPS} are allowed`,
      'Use smaller repetition counts, or leave out tags.extract and the group build',
    )
  }
}

function compileRe2(source: string, field: string): RE2JS {
  if (source.length > LONGEST_PATTERN) {
    throw ruleError(
      field,
      `the pattern has ${source.length} characters; at most ${LONGEST_PATTERN} are allowed`,
      'Shorten it, or split it over several entries of tags.allow',
    )
  }
  let re2: RE2JS
  try {
    re2 = RE2JS.compile(source)
  } catch (error) {
    if (!(error instanceof RE2JSException)) {
      throw error
    }
    const reason = error.message.replace(/^error parsing regexp: /, '')
    throw ruleError(field, `the pattern is not valid: ${reason}`, remedyFor(reason))
  }
  if (re2.programSize() > LARGEST_PROGRAM) {
    throw ruleError(
      field,
      `the pattern is too large: it compiles to ${re2.programSize()} instructions, at most ${LARGEST_PROGRAM} are allowed`,
      'Use smaller repetition counts; a tag has at most 128 characters',
    )
  }
  return re2
}

const REMEDIES: readonly (readonly [reason: RegExp, remedy: string])[] = [
  [/escape sequence: `\\[1-9]/, 'Go (RE2) syntax has no backreferences; write the text out'],
  [/`\(\?(?:<?[=!])/, 'Go (RE2) syntax has no lookahead or lookbehind; use tags.ignore to exclude'],
  [/repeat count/, 'A repetition is {n}, {n,} or {n,m} with n <= m <= 1000, also when nested'],
  [/nested repetition/, 'Put the inner repetition in a group, such as (?:a*)*'],
  [/missing closing|unexpected \)|missing argument/, 'Escape a literal bracket with a backslash'],
]

function remedyFor(reason: string): string {
  const known = REMEDIES.find(([pattern]) => pattern.test(reason))
  return known?.[1] ?? 'Write it in Go (RE2) syntax: https://github.com/google/re2/wiki/Syntax'
}

function matchRe2(re2: RE2JS, text: string): Match | undefined {
  // test() runs on an automaton that is many times faster than a search with groups
  if (!re2.test(text)) {
    return undefined
  }
  const matcher = re2.matcher(text)
  matcher.find()
  return Array.from({ length: re2.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined)
}
