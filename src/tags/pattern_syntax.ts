import {
  anyOf,
  type CharacterSet,
  EVERY_CHARACTER,
  grouped,
  inSequence,
  oneOf,
  type PatternNode,
  repeated,
  setOf,
} from './pattern_node.ts'

/** A pattern, and whether it is bound to the start and the end of the text. */
export interface SimplePattern {
  readonly body: PatternNode
  readonly fromStart: boolean
  readonly toEnd: boolean
}

/**
 * Reads the simple part of Go's pattern syntax: ASCII literals, classes, greedy repetitions, groups,
 * alternatives within groups, `^` first and `$` last.
 *
 * @param source a valid pattern
 * @returns undefined when it uses anything else
 */
export function parseSimplePattern(source: string): SimplePattern | undefined {
  const reader = new PatternReader(source)
  try {
    const fromStart = reader.take('^')
    const body = reader.sequence()
    const toEnd = reader.take('$')
    return reader.atEnd ? { body, fromStart, toEnd } : undefined
  } catch (error) {
    if (error === NOT_SIMPLE) return undefined
    throw error
  }
}

const NOT_SIMPLE = new Error('the pattern uses more than the simple syntax')

const CLASSES: ReadonlyMap<string, CharacterSet> = new Map([
  ['d', setOf('0123456789')],
  ['w', setOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz')],
  ['s', setOf('\t\n\f\r ')],
])

class PatternReader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  get atEnd(): boolean {
    return this.#at === this.#source.length
  }

  take(text: string): boolean {
    const found = this.#source.startsWith(text, this.#at)
    if (found) this.#at += text.length
    return found
  }

  sequence(): PatternNode {
    const parts: PatternNode[] = []
    while (!this.atEnd && !'|)$'.includes(this.#source.charAt(this.#at))) {
      parts.push(this.#quantified(this.#atom()))
    }
    return inSequence(parts)
  }

  #atom(): PatternNode {
    if (this.take('(')) return this.#group()
    if (this.take('[')) return oneOf(this.#class())
    if (this.take('.')) return oneOf(EVERY_CHARACTER & ~setOf('\n'))
    return oneOf(this.#namedClass() ?? setOf(this.#character(/[^\\*+?{}[\]^]/y)))
  }

  #quantified(body: PatternNode): PatternNode {
    const found = this.#match(/[*+?]|\{(\d+)(,?)(\d*)\}/y)
    if (!found) return body
    if (this.#match(/[*+?{]/y)) throw NOT_SIMPLE
    const [operator, low, comma, high] = found
    if (low === undefined) {
      return repeated(body, operator === '+' ? 1 : 0, operator === '?' ? 1 : Infinity)
    }
    const open = high === '' ? Infinity : Number(high)
    return repeated(body, Number(low), comma === '' ? Number(low) : open)
  }

  #group(): PatternNode {
    const numbered = !this.take('?:')
    if (numbered && !this.#match(/\?P?<\w+>/y) && this.take('?')) throw NOT_SIMPLE
    const parts = [this.sequence()]
    while (this.take('|')) parts.push(this.sequence())
    if (!this.take(')')) throw NOT_SIMPLE
    return grouped(anyOf(parts), numbered)
  }

  #class(): CharacterSet {
    const negated = this.take('^')
    let set = 0n
    do {
      set |= this.#namedClass() ?? this.#range()
    } while (!this.take(']'))
    return negated ? EVERY_CHARACTER & ~set : set
  }

  #range(): CharacterSet {
    const low = this.#character(/[^\\[\]]/y)
    const high = this.#match(/-(?!\])/y) ? this.#character(/[^\\[\]]/y) : low
    let set = 0n
    for (let code = low.charCodeAt(0); code <= high.charCodeAt(0); code++) set |= 1n << BigInt(code)
    return set
  }

  /** `\d`, `\w`, `\s` and their opposites. */
  #namedClass(): CharacterSet | undefined {
    const name = this.#match(/\\([dws])/iy)?.[1]
    if (name === undefined) return undefined
    const set = CLASSES.get(name.toLowerCase()) ?? 0n
    return name === name.toLowerCase() ? set : EVERY_CHARACTER & ~set
  }

  /** An ASCII character that stands for itself, or one that an escape makes do so. */
  #character(plain: RegExp): string {
    const found = this.#match(this.take('\\') ? /[^0-9A-Za-z]/y : plain)?.[0]
    if (found === undefined || found.charCodeAt(0) > 127) throw NOT_SIMPLE
    return found
  }

  #match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at
    const found = sticky.exec(this.#source) ?? undefined
    if (found) this.#at += found[0].length
    return found
  }
}
