import { hashText } from '../pieces/index.ts'

type Entry<V> = readonly [key: string, value: V]
interface Leaf<V> {
  readonly entries: readonly Entry<V>[]
}
interface Branch<V> {
  readonly children: readonly (Leaf<V> | Branch<V> | undefined)[]
}
type Node<V> = Leaf<V> | Branch<V>

const FAN_OUT = 16
const LEAF_SIZE = 8
/** Four bits of the hash a level; keys whose whole hash is the same share a leaf. */
const LAST_SHIFT = 28

/**
 * An immutable map from strings, as a trie over their hashes: `set` and `delete` give a new map
 * that shares all but one path with the old one, so they cost the same however large it is.
 */
export class PersistentMap<V> {
  readonly size: number
  readonly #root: Node<V>

  constructor(entries: Iterable<Entry<V>> = [], root: Node<V> = { entries: [] }, size = 0) {
    let node = root
    let count = size
    for (const entry of entries) {
      count += find(node, entry[0]) ? 0 : 1
      node = put(node, entry, hashText(entry[0], 0), 0)
    }
    this.#root = node
    this.size = count
  }

  get(key: string): V | undefined {
    return find(this.#root, key)?.[1]
  }

  set(key: string, value: V): PersistentMap<V> {
    return new PersistentMap([[key, value]], this.#root, this.size)
  }

  delete(key: string): PersistentMap<V> {
    return find(this.#root, key)
      ? new PersistentMap([], take(this.#root, key, hashText(key, 0), 0), this.size - 1)
      : this
  }

  /** In no particular order. */
  entries(): IteratorObject<Entry<V>> {
    return walk(this.#root)
  }
}

function slot(hash: number, shift: number): number {
  return (hash >>> shift) & (FAN_OUT - 1)
}

function find<V>(root: Node<V>, key: string): Entry<V> | undefined {
  const hash = hashText(key, 0)
  let node: Node<V> | undefined = root
  for (let shift = 0; node && 'children' in node; shift += 4) {
    node = node.children[slot(hash, shift)]
  }
  return node?.entries.find((entry) => entry[0] === key)
}

function put<V>(node: Node<V> | undefined, entry: Entry<V>, hash: number, shift: number): Node<V> {
  if (node === undefined) {
    return { entries: [entry] }
  }
  if ('children' in node) {
    const at = slot(hash, shift)
    return { children: node.children.with(at, put(node.children[at], entry, hash, shift + 4)) }
  }
  const at = node.entries.findIndex(([key]) => key === entry[0])
  const entries = at < 0 ? [...node.entries, entry] : node.entries.with(at, entry)
  return entries.length > LEAF_SIZE && shift <= LAST_SHIFT ? split(entries, shift) : { entries }
}

function split<V>(entries: readonly Entry<V>[], shift: number): Node<V> {
  const empty: Node<V> = { children: new Array(FAN_OUT).fill(undefined) }
  return entries.reduce<Node<V>>(
    (node, entry) => put(node, entry, hashText(entry[0], 0), shift),
    empty,
  )
}

function take<V>(node: Node<V>, key: string, hash: number, shift: number): Node<V> {
  if (!('children' in node)) {
    return { entries: node.entries.filter((entry) => entry[0] !== key) }
  }
  const at = slot(hash, shift)
  const child = node.children[at]
  return child ? { children: node.children.with(at, take(child, key, hash, shift + 4)) } : node
}

function* walk<V>(node: Node<V>): Generator<Entry<V>> {
  if ('children' in node) {
    for (const child of node.children) {
      if (child) yield* walk(child)
    }
  } else {
    yield* node.entries
  }
}
