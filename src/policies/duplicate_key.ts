import { type Document, isMap, isScalar, isSeq, type Node } from 'yaml'
import type { Path } from './flaw.ts'

/** A key that an object has twice. Offsets count characters of the text. */
export interface DuplicateKey {
  readonly path: Path
  readonly offset: number
  readonly first: number
}

/** Every repeated key, in time that grows with the text and not with its square. */
export function duplicateKeys(document: Document): readonly DuplicateKey[] {
  const found: DuplicateKey[] = []
  visit(document.contents, [], found)
  return found
}

function visit(node: unknown, path: Path, found: DuplicateKey[]): void {
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) visit(item, [...path, index], found)
  } else if (isMap(node)) {
    const seen = new Map<string, number>()
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue
      const name = String(key.value)
      const offset = (key as Node).range?.[0] ?? 0
      const first = seen.get(name)
      if (first === undefined) seen.set(name, offset)
      else if (name !== '<<') found.push({ path: [...path, name], offset, first })
      visit(value, [...path, name], found)
    }
  }
}
