import { isDeepStrictEqual } from 'node:util'
import { escapeKey } from '../../src/images/pointer.ts'

type Tree = Record<string, unknown>

/** What a patch does to an object, as the API server applies it. Throws what it refuses. */
export function jsonPatch(object: object, operations: readonly object[]): object {
  let root: unknown = structuredClone(object)
  for (const each of operations as { op: string; path: string; value?: unknown; from?: string }[]) {
    const value = structuredClone(each.value)
    if (each.op === 'test') {
      if (!isDeepStrictEqual(read(root, each.path), value)) throw refused(each)
    } else if (each.op === 'copy' || each.op === 'move') {
      const moved = structuredClone(read(root, each.from ?? ''))
      if (each.op === 'move') root = write(root, each.from ?? '', 'remove', undefined)
      root = write(root, each.path, 'add', moved)
    } else if (each.op === 'add' || each.op === 'replace' || each.op === 'remove') {
      root = write(root, each.path, each.op, value)
    } else {
      throw refused(each)
    }
  }
  return root as object
}

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return structuredClone(patch)
  const merged: Tree = isTree(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else merged[key] = mergePatch(merged[key], value)
  }
  return merged
}

/** Pointers of all leaves; a list counts as one. */
export function leaves(value: unknown, at = ''): Map<string, unknown> {
  if (!isTree(value) || Object.keys(value).length === 0) return new Map([[at, value]])
  return new Map(
    Object.entries(value).flatMap(([key, child]) => [...leaves(child, `${at}/${escapeKey(key)}`)]),
  )
}

/** The object without what a pointer points to, which may be nothing. */
export function without(object: object, pointer: string): object {
  try {
    return jsonPatch(object, [{ op: 'remove', path: pointer }])
  } catch {
    return object
  }
}

function write(root: unknown, pointer: string, op: string, value: unknown): unknown {
  if (pointer === '') return value
  const keys = keysOf(pointer)
  const last = keys.pop() as string
  const parent = keys.reduce((at, key) => step(at, key, pointer), root)
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last)
    const end = op === 'add' ? parent.length : parent.length - 1
    if (!Number.isInteger(index) || index < 0 || index > end) throw refused({ op, path: pointer })
    parent.splice(index, op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [value]))
  } else if (isTree(parent)) {
    if (op !== 'add' && !Object.hasOwn(parent, last)) throw refused({ op, path: pointer })
    if (op === 'remove') delete parent[last]
    else parent[last] = value
  } else {
    throw refused({ op, path: pointer })
  }
  return root
}

function read(root: unknown, pointer: string): unknown {
  return pointer === '' ? root : keysOf(pointer).reduce((at, key) => step(at, key, pointer), root)
}

function step(at: unknown, key: string, pointer: string): unknown {
  const holds = typeof at === 'object' && at !== null && Object.hasOwn(at, key)
  if (!holds) throw refused({ op: 'the path', path: pointer })
  return (at as Tree)[key]
}

function keysOf(pointer: string): string[] {
  return pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused({ op, path }: { op: string; path: string }): Error {
  return new Error(`${op} ${path} does not fit the object`)
}
