import { readAt, unquote } from './header_field.ts'

const TARGET = /[\s,]*<([^<>]*)>/y
const PARAMETER = /\s*;\s*([!#$%&'*+.^_`|~\w-]*)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*))?/y

/**
 * The target of the first link with relation `next`, as it was written.
 *
 * Source: RFC 8288 section 3; relation types are compared without case, only the first `rel` of a
 * link counts, and one `rel` may name several.
 *
 * @param header one or several `Link` fields
 */
export function nextLink(header: string | readonly string[] | undefined): string | undefined {
  for (const field of [header ?? []].flat()) {
    let at = 0
    for (let target = readAt(TARGET, field, at); target; target = readAt(TARGET, field, at)) {
      at = TARGET.lastIndex
      let relation: string | undefined
      for (let part = readAt(PARAMETER, field, at); part; part = readAt(PARAMETER, field, at)) {
        at = PARAMETER.lastIndex
        if (part[1]?.toLowerCase() === 'rel') relation ??= unquote(part[2] ?? '')
      }
      if (relation?.toLowerCase().split(/\s+/).includes('next')) return target[1]
    }
  }
  return undefined
}
