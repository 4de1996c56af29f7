/** An index of a list, as a key. */
export const INDEX = /^(?:0|[1-9][0-9]*)$/

/** One key as it stands in a JSON pointer (RFC 6901 §3). */
export function escapeKey(key: string): string {
  return /[~/]/.test(key) ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key
}

/** The keys of a JSON pointer (RFC 6901 §4). */
export function pointerKeys(pointer: string): string[] {
  const [, ...keys] = pointer.split('/')
  return pointer.includes('~')
    ? keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    : keys
}

/** An own property of an object or an element of a list; undefined for anything else. */
export function childOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return INDEX.test(key) ? value[Number(key)] : undefined
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}

/**
 * The value at a JSON pointer (RFC 6901), read from own properties and list elements only;
 * undefined when there is none or the pointer is no pointer. Never throws.
 *
 * @example
 *   valueAt({ spec: { image: 'web' } }, '/spec/image') // web
 */
export function valueAt(object: unknown, pointer: string): unknown {
  if (pointer === '') return object
  if (!pointer.startsWith('/')) return undefined
  return valueBelow(object, pointerKeys(pointer))
}

/** The same by the keys themselves. */
export function valueBelow(object: unknown, keys: readonly string[]): unknown {
  return keys.reduce(childOf, object)
}
