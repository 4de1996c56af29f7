import { isJson, nextJson } from './json_text.ts'
import { type ItemType, type LongList, openList } from './list_items.ts'

/** One YAML document of a file, or a part of a long List, as it is written. */
export interface SourceDocument {
  readonly text: string
  /** which one of its file, from 0 */
  readonly index: number
  /** UTF-16 units that stand before it in its file */
  readonly offset: number
  /** line of its first character, from 1 */
  readonly line: number
  /** UTF-16 units that stand before it in its line, without a byte order mark */
  readonly column: number
  /** set for a part of a long List: an item, or what stands around items */
  readonly part?: { readonly isItem: boolean; readonly type: ItemType | undefined }
}

/** Cuts a text into its documents while it is read. */
export interface DocumentStream {
  /** @returns the documents that have ended */
  push(piece: string): SourceDocument[]
  /** @returns what is left */
  end(): SourceDocument[]
  /** UTF-16 units of the document that has not ended yet */
  readonly waiting: number
}

/**
 * Wherever these stand at the start of a line a document begins or ends, whatever is around them:
 * https://yaml.org/spec/1.2.2/#914-explicit-documents (c-forbidden)
 */
const MARKER = /(?<=[\r\n])(?:---|\.\.\.)(?=[ \t\r\n])/g
const LONGEST_MARKER = 4
/** The same, with a byte order mark of its own behind the ---, as when files were put together. */
const MARKER_OR_MARK = new RegExp(
  `${MARKER.source}|(?<=(?:^|[\\r\\n])---[ \\t]*(?:#[^\\r\\n]*)?(?:\\r\\n?|\\n))\\ufeff`,
  'g',
)
/** Directives belong to the document that follows them. */
const ONLY_DIRECTIVES = /^(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n?|\n)|%[^\r\n]*(?:\r\n?|\n))*$/
/** A text is looked through when it has become this much longer, in UTF-16 units. */
const STEP = 1024 * 1024
/**
 * Cuts at `---` and `...`, and between JSON objects. A List of a MiB or more is cut into its items,
 * so that memory does not grow with it. All documents put together are the text again, to the byte.
 *
 * @param step how long a List is cut into items, and how often the text is looked through
 * @example
 *   const stream = createDocumentStream()
 *   const documents = [...stream.push('a: 1\n---\n'), ...stream.push('b: 2\n'), ...stream.end()]
 *   documents.map(({ text }) => text) // ['a: 1\n', '---\nb: 2\n']
 */
export function createDocumentStream(step: number = STEP): DocumentStream {
  let parts: string[] = []
  let waiting = 0
  let searched = 0
  let index = 0
  let offset = 0
  let line = 1
  let column = 0

  let list: LongList | undefined

  function cut(text: string, part?: SourceDocument['part']): SourceDocument {
    const document = { text: copied(text), index, offset, line, column, ...(part && { part }) }
    index += 1
    offset += text.length
    line += countLines(text)
    const broken = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'))
    const mark = broken < 0 && text.startsWith('\ufeff') ? 1 : 0
    column = broken < 0 ? column + text.length - mark : text.length - broken - 1
    return document
  }

  /**
   * What a document gives, or the beginning of one.
   *
   * @returns how much of the text is taken
   */
  function split(text: string, isAll: boolean, found: SourceDocument[]): number {
    list ??= text.length >= step ? openList(text) : undefined
    let at = 0
    if (list) {
      const { type } = list
      let isOver = isAll
      for (const { text: own, isItem, isLast = isAll } of list.cut(text, isAll)) {
        found.push(cut(own, { isItem, type }))
        at += own.length
        isOver = isLast
      }
      if (isOver) list = undefined
      return isOver && at < text.length ? at + split(text.slice(at), isAll, found) : at
    }
    if (isJson(text)) {
      for (let next = nextJson(text, 1); next !== undefined; next = nextJson(text, next + 1)) {
        found.push(cut(text.slice(at, next)))
        at = next
      }
    }
    if (isAll && at < text.length) found.push(cut(text.slice(at)))
    return isAll ? text.length : at
  }

  function take(isEnd: boolean): SourceDocument[] {
    const text = parts.length === 1 ? (parts[0] ?? '') : parts.join('')
    const found: SourceDocument[] = []
    let start = 0
    const marker = text.indexOf('\ufeff', 1) < 0 ? MARKER : MARKER_OR_MARK
    marker.lastIndex = Math.max(0, searched - LONGEST_MARKER)
    for (let match = marker.exec(text); match; match = marker.exec(text)) {
      const at = match[0] === '...' ? match.index + match[0].length : match.index
      const piece = text.slice(start, at)
      if (at === start || (piece.includes('%') && ONLY_DIRECTIVES.test(piece))) continue
      split(piece, true, found)
      start = at
    }
    const rest = text.slice(start)
    const taken = rest === '' ? 0 : split(rest, isEnd, found)
    parts = taken === rest.length ? [] : [rest.slice(taken)]
    waiting = rest.length - taken
    searched = waiting
    return found
  }

  return {
    push(piece) {
      parts.push(piece)
      waiting += piece.length
      // Looking through one long document at each piece of it would take time in its square.
      return waiting - searched >= Math.max(step, searched) ? take(false) : []
    },
    end: () => take(true),
    get waiting() {
      return waiting
    },
  }
}

/**
 * A text of its own. What V8 cuts out of a text keeps the whole of that in memory, and so would
 * each image of each document.
 */
function copied(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}

/** How many lines end in a text; `\r\n`, `\n` and `\r` end one. */
export function countLines(text: string): number {
  let count = 0
  if (text.includes('\r')) {
    for (const _ of text.matchAll(/\r\n?|\n/g)) count += 1
    return count
  }
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1
  return count
}
