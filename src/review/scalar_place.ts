import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml'

/** Where a value is written: offsets in UTF-16 units of the document, without quotes. */
export interface Place {
  readonly start: number
  readonly end: number
  /** undefined for what is no scalar */
  readonly style: ScalarEvent['style'] | undefined
}

type Node =
  | { readonly type: 'scalar'; readonly event: ScalarEvent }
  | { readonly type: 'sequence'; readonly start: number; readonly items: Node[] }
  | { readonly type: 'mapping'; readonly start: number; readonly pairs: [key: Node, value: Node][] }
  | { readonly type: 'alias'; readonly target: Node | undefined }

/** How far merge keys may lead to others. */
const MOST_MERGES = 20
const MERGE = '<<'
const NO_KEYS: ReadonlySet<string> = new Set()

/** Finds where the values of a document are written. */
export interface PlaceFinder {
  /** The place of the value at these keys, through aliases and merge keys; undefined: nowhere. */
  find(keys: readonly string[]): Place | undefined
}

/** @param events of one document */
export function createPlaceFinder(text: string, events: readonly Event[]): PlaceFinder {
  const root = treeOf(text, events)
  return {
    find(keys) {
      const node = keys.reduce<Node | undefined>(
        (at, key) => at && childNode(text, at, key, MOST_MERGES),
        root,
      )
      const written = node && dereferenced(node)
      return written && placeOf(text, written)
    },
  }
}

/**
 * Where a merge key stands below a key that it sets too, or a second one beside a first that sets the
 * same: by YAML the first one counts, and for `kubectl` (go-yaml 2) the last.
 *
 * @returns offset of the merge key
 */
export function disputedMerge(text: string, events: readonly Event[]): number | undefined {
  const root = treeOf(text, events)
  const open = root ? [root] : []
  const merged = new Map<Node, ReadonlySet<string>>()
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.type === 'sequence') for (const item of node.items) open.push(item)
    if (node.type !== 'mapping') continue
    const above = new Set<string>()
    for (const [name, value] of node.pairs) {
      open.push(value)
      const isMerge = isMergeKey(text, name)
      const keys = isMerge ? mergedKeys(text, value, merged) : [keyOf(text, name) ?? '']
      for (const each of keys) {
        if (isMerge && above.has(each)) return placeOf(text, name)?.start
      }
      for (const each of keys) above.add(each)
    }
  }
  return undefined
}

/** The keys that a merge key brings along; each mapping is looked through once. */
function mergedKeys(text: string, value: Node, known: Map<Node, ReadonlySet<string>>) {
  const source = dereferenced(value)
  const found = source && known.get(source)
  if (!source || source.type === 'scalar' || found) return found ?? NO_KEYS
  const keys = new Set<string>()
  known.set(source, keys)
  const merged = source.type === 'sequence' ? source.items : []
  const pairs = source.type === 'mapping' ? source.pairs : []
  for (const each of merged) for (const key of mergedKeys(text, each, known)) keys.add(key)
  for (const [name, inside] of pairs) {
    if (!isMergeKey(text, name)) keys.add(keyOf(text, name) ?? '')
    else for (const other of mergedKeys(text, inside, known)) keys.add(other)
  }
  return keys
}

function treeOf(text: string, events: readonly Event[]): Node | undefined {
  const anchors = new Map<string, Node>()
  const open: { add: (node: Node) => void }[] = []
  let root: Node | undefined
  const put = (node: Node, anchored?: { anchorStart: number; anchorEnd: number }) => {
    const { anchorStart = -1, anchorEnd = -1 } = anchored ?? {}
    if (anchorStart >= 0) anchors.set(text.slice(anchorStart, anchorEnd), node)
    open.at(-1)?.add(node)
  }
  for (const event of events) {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        open.push({
          add: (node) => {
            root ??= node
          },
        })
        break
      case EVENT_ID.SCALAR:
        put({ type: 'scalar', event }, event)
        break
      case EVENT_ID.ALIAS: {
        const name = text.slice(event.anchorStart, event.anchorEnd)
        put({ type: 'alias', target: anchors.get(name) })
        break
      }
      case EVENT_ID.SEQUENCE: {
        const items: Node[] = []
        put({ type: 'sequence', start: event.start, items }, event)
        open.push({ add: (node) => void items.push(node) })
        break
      }
      case EVENT_ID.MAPPING: {
        const pairs: [Node, Node][] = []
        let key: Node | undefined
        put({ type: 'mapping', start: event.start, pairs }, event)
        open.push({
          add(node) {
            if (key) pairs.push([key, node])
            key = key ? undefined : node
          },
        })
        break
      }
      case EVENT_ID.POP:
        open.pop()
    }
  }
  return root
}

function dereferenced(node: Node): Node | undefined {
  return node.type === 'alias' ? node.target : node
}

function childNode(text: string, at: Node, key: string, merges: number): Node | undefined {
  const node = dereferenced(at)
  if (node?.type === 'sequence') return /^\d+$/.test(key) ? node.items[Number(key)] : undefined
  if (node?.type !== 'mapping') return undefined
  // JSON lets a key stand twice, and the last one counts
  const own = node.pairs.findLast(([name]) => keyOf(text, name) === key)
  if (own) return own[1]
  if (merges === 0) return undefined
  const merged = node.pairs.filter(([name]) => isMergeKey(text, name))
  for (const [, value] of merged) {
    const source = dereferenced(value)
    for (const each of source?.type === 'sequence' ? source.items : [value]) {
      const found = childNode(text, each, key, merges - 1)
      if (found) return found
    }
  }
  return undefined
}

/** In quotes it is a key like any other. */
function isMergeKey(text: string, node: Node): boolean {
  return (
    node.type === 'scalar' && node.event.style === SCALAR_STYLE.PLAIN && keyOf(text, node) === MERGE
  )
}

function keyOf(text: string, node: Node): string | undefined {
  const written = dereferenced(node)
  return written?.type === 'scalar' ? getScalarValue(text, written.event) : undefined
}

function placeOf(text: string, node: Node): Place | undefined {
  if (node.type === 'alias') return undefined
  if (node.type !== 'scalar') return { start: node.start, end: node.start + 1, style: undefined }
  const { valueStart, valueEnd, style } = node.event
  if (valueStart < 0) return undefined
  if (style !== SCALAR_STYLE.LITERAL_BLOCK && style !== SCALAR_STYLE.FOLDED_BLOCK) {
    return { start: valueStart, end: valueEnd, style }
  }
  // from the first character to the last, without the indentation and the breaks around them
  const block = text.slice(valueStart, valueEnd)
  const start = valueStart + (block.length - block.trimStart().length)
  return { start, end: Math.max(start, valueStart + block.trimEnd().length), style }
}
