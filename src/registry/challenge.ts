import { readAt, unquote } from './header_field.ts'

/** One way to authenticate that a registry offers. */
export interface Challenge {
  /** in lower case, such as `bearer` */
  readonly scheme: string
  /** names in lower case; the first of equal names */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+"
const SCHEME = new RegExp(`[\\s,]*(${TOKEN})(?=\\s|,|$)`, 'y')
const PARAMETER = new RegExp(`[\\s,]*(${TOKEN})\\s*=\\s*("(?:[^"\\\\]|\\\\.)*"|${TOKEN})`, 'y')
const TOKEN68 = /\s+[\w.~+/-]+=*(?=\s*(?:,|$))/y

/**
 * Reads `WWW-Authenticate`, which may hold several challenges in one field or in several. What
 * cannot be read ends that field.
 *
 * Source: RFC 9110 section 11.6.1.
 */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const challenges: Challenge[] = []
  for (const field of [header ?? []].flat()) {
    let at = 0
    for (let found = readAt(SCHEME, field, at); found; found = readAt(SCHEME, field, at)) {
      at = SCHEME.lastIndex
      const parameters = new Map<string, string>()
      for (let part = readAt(PARAMETER, field, at); part; part = readAt(PARAMETER, field, at)) {
        at = PARAMETER.lastIndex
        const name = part[1]!.toLowerCase()
        if (!parameters.has(name)) parameters.set(name, unquote(part[2]!))
      }
      if (parameters.size === 0 && readAt(TOKEN68, field, at)) at = TOKEN68.lastIndex
      challenges.push({ scheme: found[1]!.toLowerCase(), parameters })
    }
  }
  return challenges
}
