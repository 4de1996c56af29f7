import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml'
import type { Path } from './flaw.ts'

/**
 * Where in the text a path stands: the value, if it is a scalar; the key, if it is not; and the
 * key of the nearest field above it where there is no such field.
 *
 * @param key whether to point to the key in any case
 */
export function offsetOf(document: Document, path: Path, key = false): number {
  let node: unknown = document.contents
  let offset = startOf(node)
  for (const segment of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(segment),
      )
      if (pair === undefined) return offset
      offset = startOf(pair.key)
      node = pair.value
    } else if (isSeq(node) && node.items[Number(segment)] !== undefined) {
      node = node.items[Number(segment)]
      offset = startOf(node)
    } else {
      return offset
    }
  }
  return !key && isScalar(node) && node.value !== null ? startOf(node) : offset
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0
}
