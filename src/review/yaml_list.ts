import type { ListCut, ListHead, ListPart } from './list_items.ts'

/** It counts for the whole document: such items cannot be read one by one. */
const ANCHOR = /(?:^|[\s,[{:])&[^\s,[\]{}&]+(?=[\s,\]}])/
const MOST_HEAD_LINES = 1_000
const LINE = /([^\r\n]*)(?:\r\n?|\n)/y
const BLANK = /^\ufeff?[ \t]*(?:#.*)?$|^---[ \t]*(?:#.*)?$/
const FIELD = /^(["']?)([A-Za-z]+)\1[ \t]*:(?:[ \t]+(.*))?$/
const WORD = /^(["']?)([\w./-]+)\1[ \t]*(?:#.*)?$/
const ITEM = /^( *)-(?:[ \t]|$)/

/** The beginning of a List in YAML, in block style: its fields up to the first item. */
export function openYamlList(text: string): ListHead | undefined {
  if (ANCHOR.test(text)) return undefined
  const said = new Map<string, string | undefined>()
  let inItems = false
  LINE.lastIndex = 0
  for (let count = 0; count < MOST_HEAD_LINES; count += 1) {
    const start = LINE.lastIndex
    const line = LINE.exec(text)?.[1]
    if (line === undefined) return undefined
    if (BLANK.test(line)) continue
    if (inItems) {
      const indent = ITEM.exec(line)?.[1]?.length
      if (indent === undefined) return undefined
      const [kind, apiVersion] = [said.get('kind'), said.get('apiVersion')]
      return { kind, apiVersion, open: () => createCut(start, indent) }
    }
    if (/^[ \t]/.test(line)) continue
    const [, , key = '', value = ''] = FIELD.exec(line.replace(/^\ufeff/, '')) ?? []
    if (key === 'items' && BLANK.test(value)) inItems = true
    else if (key === 'kind' || key === 'apiVersion') said.set(key, WORD.exec(value)?.[2])
    else if (key !== 'metadata') return undefined
    if (said.has(key) && said.get(key) === undefined) return undefined
  }
  return undefined
}

/**
 * @param head where the first item begins
 * @param indent of the items: what stands further left, or there without a dash, ends the List
 */
function createCut(head: number, indent: number): ListCut {
  const start = new RegExp(`(?<=[\\r\\n]) {0,${indent}}(?:(-)(?=[ \\t\\r\\n])|[^ \\t\\r\\n#])`, 'g')
  let before = head
  let isOver = false
  return (text, isAll) => {
    const parts: ListPart[] = []
    let at = 0
    const take = (end: number, isItem: boolean) => {
      if (end > at) parts.push({ text: text.slice(at, end), isItem })
      at = end
    }
    take(before, false)
    // a line that is not whole may be anything
    const whole = isAll ? text.length : lastBreak(text)
    start.lastIndex = before + 1
    before = 0
    for (let match = isOver ? null : start.exec(text); match && !isOver; match = start.exec(text)) {
      const [found, dash] = match
      if (match.index >= whole) break
      take(match.index, true)
      isOver = dash === undefined || found.length !== indent + 1
    }
    // what ends the List stays until the next document begins, as its --- needs the line before
    if (isAll) take(text.length, !isOver)
    return parts
  }
}

function lastBreak(text: string): number {
  return Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'))
}
