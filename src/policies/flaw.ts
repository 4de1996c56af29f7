import { type Position, TagwardenError } from '../errors.ts'

/** Keys and list indexes from the top of a document. */
export type Path = readonly (string | number)[]

/** Something wrong at a place in a document. */
export interface Flaw {
  readonly path: Path
  /** the key itself is wrong, not its value */
  readonly key?: true
  readonly message: string
  readonly remedy: string
}

/** `spec.images[0]`; a key that is no plain word is quoted: `oci["policy.tags.regex"]`. */
export function formatPath(path: Path): string {
  return path
    .map((segment, index) => {
      if (typeof segment === 'number') return `[${segment}]`
      if (!/^[\w-]+$/.test(segment)) return `[${quote(segment)}]`
      return index === 0 ? segment : `.${segment}`
    })
    .join('')
}

/** The reverse of formatPath; also reads `tags.allow.0`. */
export function parsePath(field: string): Path {
  return [...field.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[?(\d+)\]?(?=[.[]|$)|([^.[\]]+)/g)].map(
    ([, quoted, index, word]) => quoted ?? (index === undefined ? (word ?? '') : Number(index)),
  )
}

/** A value in quotes, on one line and not too long, for a message. */
export function quote(text: string): string {
  return printable(JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text))
}

/** The text without what moves a terminal's cursor or hides letters, such as escape sequences. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )
}

/** The error that people and programs see for a flaw. */
export function policyProblem(flaw: Omit<Flaw, 'path'>, position: Position, cause?: unknown) {
  return new TagwardenError('ERR_INVALID_POLICY', flaw.message, {
    remedy: flaw.remedy,
    position,
    cause,
  })
}
