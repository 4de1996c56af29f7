/** A set of characters: bit n is the ASCII character n, bit 128 all characters beyond ASCII. */
export type CharacterSet = bigint

export const EVERY_CHARACTER: CharacterSet = (1n << 129n) - 1n

/** The set of some ASCII characters. */
export function setOf(characters: string): CharacterSet {
  let set = 0n
  for (const character of characters) set |= 1n << BigInt(character.charCodeAt(0))
  return set
}

type Shape =
  | { readonly kind: 'set' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'group'; readonly body: PatternNode; readonly numbered: boolean }
  | {
      readonly kind: 'repeat'
      readonly body: PatternNode
      readonly min: number
      readonly max: number
    }

/** A part of a pattern, and what is known of its matches. */
export type PatternNode = Shape & {
  /** the characters that a match may begin with */
  readonly first: CharacterSet
  /** whether it matches the empty text */
  readonly optional: boolean
  /** whether there is a numbered group in it */
  readonly captures: boolean
}

/** One character of a set. */
export function oneOf(set: CharacterSet): PatternNode {
  return { kind: 'set', first: set, optional: false, captures: false }
}

/** One after the other. */
export function inSequence(parts: readonly PatternNode[]): PatternNode {
  const required = parts.findIndex((part) => !part.optional)
  const head = required < 0 ? parts : parts.slice(0, required + 1)
  return {
    kind: 'sequence',
    parts,
    first: head.reduce((set, part) => set | part.first, 0n),
    optional: required < 0,
    captures: parts.some((part) => part.captures),
  }
}

/** One of several, the first that leads to a match. */
export function anyOf(parts: readonly PatternNode[]): PatternNode {
  return {
    kind: 'choice',
    parts,
    first: parts.reduce((set, part) => set | part.first, 0n),
    optional: parts.some((part) => part.optional),
    captures: parts.some((part) => part.captures),
  }
}

/** In brackets; numbered when its text can be asked for. */
export function grouped(body: PatternNode, numbered: boolean): PatternNode {
  const { first, optional } = body
  return { kind: 'group', body, numbered, first, optional, captures: numbered || body.captures }
}

/** As often as possible, at least `min` and at most `max` times. */
export function repeated(body: PatternNode, min: number, max: number): PatternNode {
  const { first, captures } = body
  return { kind: 'repeat', body, min, max, first, optional: min === 0 || body.optional, captures }
}
