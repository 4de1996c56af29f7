import type { CharacterSet, PatternNode } from './pattern_node.ts'
import { parseSimplePattern } from './pattern_syntax.ts'

/** The longest text that native patterns are for: no tag is longer (OCI distribution-spec). */
export const LONGEST_NATIVE = 128
/** A search may try so many paths through a pattern, each in time linear in the text. */
const MOST_PATHS = 256

/**
 * A native RegExp that finds exactly what RE2 finds in texts of up to LONGEST_NATIVE characters, in
 * bounded time; undefined where that is not certain.
 *
 * Both languages prefer the match that a backtracking search finds first. They differ in
 * repetitions of what may be empty, and in groups within repetitions (JavaScript forgets the group
 * of an earlier round, RE2 does not), so these are left out. The time is bounded by the number of
 * paths: a repetition that never begins with a character that may follow it can end in one place
 * only; one that may adds a path for each length.
 */
export function nativeRegExp(source: string): RegExp | undefined {
  const pattern = parseSimplePattern(source)
  if (!pattern) {
    return undefined
  }
  const starts = pattern.fromStart ? 1 : LONGEST_NATIVE
  if (starts * paths(pattern.body, 0n) > MOST_PATHS) {
    return undefined
  }
  const start = pattern.fromStart ? '^' : ''
  const end = pattern.toEnd ? '$' : ''
  return new RegExp(start + write(pattern.body) + end, 'u')
}

/**
 * How many paths through a node a backtracking search may try at one place; Infinity when there is
 * no bound, or the two languages may differ.
 *
 * @param next the characters that may follow a match of the node
 */
function paths(node: PatternNode, next: CharacterSet): number {
  switch (node.kind) {
    case 'set':
      return 1
    case 'group':
      return paths(node.body, next)
    case 'sequence': {
      let product = 1
      let after = next
      for (const part of node.parts.toReversed()) {
        product *= paths(part, after)
        after = part.optional ? part.first | after : part.first
      }
      return product
    }
    case 'choice': {
      const counts = node.parts.map((part) => paths(part, next))
      return isDecided(node.parts) ? Math.max(...counts) : counts.reduce((sum, n) => sum + n)
    }
    case 'repeat': {
      const { body, min, max } = node
      const isOpen = min !== max && (body.first & next) !== 0n
      if (body.optional || (max > 1 && body.captures)) return Infinity
      if (max <= 1) return paths(body, next) + (isOpen ? 1 : 0)
      const isSingle = paths(body, next | body.first) === 1
      return isSingle ? (isOpen ? Math.min(max - min + 1, LONGEST_NATIVE) : 1) : Infinity
    }
  }
}

/** Whether the next character tells which of the alternatives it is. */
function isDecided(parts: readonly PatternNode[]): boolean {
  let seen = 0n
  for (const part of parts) {
    if ((part.optional && parts.length > 1) || (seen & part.first) !== 0n) return false
    seen |= part.first
  }
  return true
}

function write(node: PatternNode): string {
  switch (node.kind) {
    case 'set':
      return writeSet(node.first)
    case 'sequence':
      return node.parts.map(write).join('')
    case 'choice':
      return node.parts.map(write).join('|')
    case 'group':
      return `(${node.numbered ? '' : '?:'}${write(node.body)})`
    case 'repeat': {
      const max = node.max === Number.POSITIVE_INFINITY ? '' : node.max
      return `${write(node.body)}{${node.min},${max}}`
    }
  }
}

/** A class of all ASCII characters of the set, negated when it holds the characters beyond. */
function writeSet(set: CharacterSet): string {
  const beyond = (set >> 128n) & 1n
  let members = ''
  for (let code = 0; code < 128; code++) {
    if (((set >> BigInt(code)) & 1n) !== beyond) {
      members += `\\x${code.toString(16).padStart(2, '0')}`
    }
  }
  return `[${beyond ? '^' : ''}${members}]`
}
