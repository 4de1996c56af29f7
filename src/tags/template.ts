import { firstOf, type GroupNumbers, withoutDoubleNames } from './group_names.ts'
import type { Match } from './pattern.ts'
import type { TagRule } from './types.ts'

/** Writes the extract of a match. */
export type Template = (match: Match) => string

// Go `regexp` Expand: after a dollar, `$`, `name` or `{name}`; the longest name counts, so `$1x`
// is the group named `1x`. A dollar followed by anything else stands for itself.
const REFERENCE = /\$(?:(\$)|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu
const NUMBER = /^(?:0|[1-9]\d{0,8})$/

/**
 * Compiles a template of Go's `regexp` Expand. A group that does not exist, or took no part in the
 * match, is empty; of groups with the same name, the first that took part counts.
 *
 * @param groups the pattern's named groups
 */
export function compileTemplate(text: string, groups: GroupNumbers): Template {
  const parts: (string | readonly number[])[] = []
  let end = 0
  for (const reference of text.matchAll(REFERENCE)) {
    const name = reference[2] ?? reference[3] ?? ''
    const literal = text.slice(end, reference.index) + (reference[1] ?? '')
    end = reference.index + reference[0].length
    if (literal !== '') {
      parts.push(literal)
    }
    const group = NUMBER.test(name) ? [Number(name)] : groups.get(name)
    if (group !== undefined) {
      parts.push(group)
    }
  }
  parts.push(text.slice(end))
  return (match) => {
    let result = ''
    for (const part of parts) {
      result += typeof part === 'string' ? part : (firstOf(match, part) ?? '')
    }
    return result
  }
}

/** Names and numbers in the extract of a rule that are no group of its pattern, so always empty. */
export function unknownGroups({ pattern = '', extract = '' }: TagRule): string[] {
  const { groups, count } = withoutDoubleNames(pattern)
  const names = [...extract.matchAll(REFERENCE)].flatMap(
    ([, , name, braced]) => name ?? braced ?? [],
  )
  return [...new Set(names)].filter((name) =>
    NUMBER.test(name) ? Number(name) > count : !groups.has(name),
  )
}
