import { nextJson } from './json_text.ts'
import type { ListCut, ListHead, ListPart } from './list_items.ts'

const SPACE = /[\ufeff\s,]*/y
const COLON = /\s*:\s*/y
const PLAIN = /[^\s,[\]{}"]+/y
const BRACKET = /["{}[\]]/g

/** The beginning of a List in JSON: the keys of its object up to `"items": [`. */
export function openJsonList(text: string): ListHead | undefined {
  const said: Record<string, unknown> = Object.create(null)
  let at = skip(SPACE, text, 0) + 1
  for (;;) {
    at = skip(SPACE, text, at)
    const end = text[at] === '"' ? endOfString(text, at) : -1
    if (end < 0) return undefined
    const key = text.slice(at + 1, end - 1)
    const value = skip(COLON, text, end)
    if (value === end) return undefined
    if (key === 'items') {
      if (text[value] !== '[') return undefined
      const { kind, apiVersion } = said
      const word = (of: unknown) => (typeof of === 'string' ? of : undefined)
      return {
        ...{ kind: word(kind), apiVersion: word(apiVersion) },
        open: () => createCut(value + 1),
      }
    }
    at = endOfValue(text, value)
    if (at < 0) return undefined
    if (text[value] === '"') said[key] = text.slice(value + 1, at - 1)
  }
}

/** @param head where its first item may begin */
function createCut(head: number): ListCut {
  let start = head
  let isOver = false
  return (text, isAll) => {
    const parts: ListPart[] = []
    let at = 0
    const take = (end: number, isItem: boolean, isLast = false) => {
      if (end > at) parts.push({ text: text.slice(at, end), isItem, ...(isLast && { isLast }) })
      at = end
    }
    take(start, false)
    start = 0
    while (!isOver) {
      const from = skip(SPACE, text, at)
      const first = text[from]
      if (first === undefined) break
      const end = first === ']' ? -1 : endOfValue(text, from)
      if (first !== ']' && end < 0) break
      take(from, false)
      if (first === ']') isOver = true
      else take(end, first === '{')
    }
    const next = isOver ? nextJson(text, at) : undefined
    if (next !== undefined) take(next, false, true)
    else if (isAll) take(text.length, false)
    return parts
  }
}

/** The end of the value that begins here; -1: it is not whole. */
function endOfValue(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return endOfString(text, start)
  if (first !== '{' && first !== '[') {
    const end = skip(PLAIN, text, start)
    return end > start && end < text.length ? end : -1
  }
  let depth = 0
  BRACKET.lastIndex = start
  for (let match = BRACKET.exec(text); match; match = BRACKET.exec(text)) {
    if (match[0] === '"') {
      const end = endOfString(text, match.index)
      if (end < 0) return -1
      BRACKET.lastIndex = end
    } else {
      depth += match[0] === '{' || match[0] === '[' ? 1 : -1
      if (depth === 0) return match.index + 1
    }
  }
  return -1
}

function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0
    while (text[at - 1 - escapes] === '\\') escapes += 1
    if (escapes % 2 === 0) return at + 1
  }
  return -1
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
