const LONGEST = 200
const PLAIN = /^[\w.:@/[\]+-]{1,200}$/

/**
 * Any value as one safe line for a message, a log or a terminal, at most 200 characters long.
 * What looks like an image stands as it is; any other text is quoted, and whatever is not
 * printable ASCII (control characters, terminal escapes, look-alike letters) is written `\uXXXX`.
 * A value that is no text is named by its type. Never throws.
 *
 * @example
 *   displayImage('ghcr.io/acme/web:v1.4.2') // ghcr.io/acme/web:v1.4.2
 *   displayImage('web\u001b[2J') // "web\u001b[2J"
 *   displayImage({ repository: 'web' }) // an object
 */
export function displayImage(value: unknown): string {
  if (typeof value !== 'string') return displayType(value)
  if (PLAIN.test(value)) return value
  const escaped = escapeText(value.slice(0, LONGEST))
  const whole = value.length <= LONGEST && escaped.length <= LONGEST - 2
  return whole ? `"${escaped}"` : `"${escaped.slice(0, LONGEST - 3)}…"`
}

/** Printable ASCII, fit to stand between quotes. */
export function escapeText(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, escapeUnit)
}

function displayType(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return `${value}`
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
