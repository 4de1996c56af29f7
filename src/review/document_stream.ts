/** One YAML document of a file, as it is written. */
export interface SourceDocument {
  readonly text: string
  /** which one of its file, from 0 */
  readonly index: number
  /** UTF-16 units that stand before it in its file */
  readonly offset: number
  /** line of its first character, from 1 */
  readonly line: number
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
/** Directives belong to the document that follows them. */
const ONLY_DIRECTIVES = /^(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n?|\n)|%[^\r\n]*(?:\r\n?|\n))*$/
/** A text is looked through when it has become this much longer, in UTF-16 units. */
const STEP = 1024 * 1024

/**
 * Cuts at `---` and `...`. All documents put together are the text again, to the byte.
 *
 * @example
 *   const stream = createDocumentStream()
 *   const documents = [...stream.push('a: 1\n---\n'), ...stream.push('b: 2\n'), ...stream.end()]
 *   documents.map(({ text }) => text) // ['a: 1\n', '---\nb: 2\n']
 */
export function createDocumentStream(): DocumentStream {
  let parts: string[] = []
  let waiting = 0
  let searched = 0
  let index = 0
  let offset = 0
  let line = 1

  function cut(text: string): SourceDocument {
    const document = { text: copied(text), index, offset, line }
    index += 1
    offset += text.length
    line += countLines(text)
    return document
  }

  function take(final: boolean): SourceDocument[] {
    const text = parts.length === 1 ? (parts[0] ?? '') : parts.join('')
    const found: SourceDocument[] = []
    let start = 0
    MARKER.lastIndex = Math.max(0, searched - LONGEST_MARKER)
    for (let match = MARKER.exec(text); match; match = MARKER.exec(text)) {
      const at = match[0] === '---' ? match.index : match.index + match[0].length
      const piece = text.slice(start, at)
      if (at === start || (piece.includes('%') && ONLY_DIRECTIVES.test(piece))) continue
      found.push(cut(piece))
      start = at
    }
    const rest = text.slice(start)
    if (final && rest !== '') found.push(cut(rest))
    parts = final || rest === '' ? [] : [rest]
    waiting = final ? 0 : rest.length
    searched = waiting
    return found
  }

  return {
    push(piece) {
      parts.push(piece)
      waiting += piece.length
      // Looking through one long document at each piece of it would take time in its square.
      return waiting - searched >= Math.max(STEP, searched) ? take(false) : []
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
