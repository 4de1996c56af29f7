import { statSync } from 'node:fs'
import { isObject, own } from '../admission/index.ts'
import { openFile } from './file_text.ts'
import { isFault, readManifest } from './manifest.ts'

/** Labels of an object. */
export type Labels = Readonly<Record<string, string>>

const NAMESPACE = /kind["']?[ \t]*:[ \t]*["']?Namespace\b/
/** Lists go this deep. */
const DEEPEST = 3

/** The Namespace objects of a document, with their labels. */
export function namespacesIn(text: string): ReadonlyMap<string, Labels> {
  const found = new Map<string, Labels>()
  if (!text.includes('Namespace') || !NAMESPACE.test(text)) return found
  const manifest = readManifest(text)
  if (!isFault(manifest)) note(manifest.value, found, 0)
  return found
}

/**
 * The same for files, each read once: whoever judges by labels of namespaces has to know them
 * before. What cannot be read is left to whoever reads it next.
 */
export async function namespaceLabelsIn(
  paths: Iterable<string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Labels>> {
  const found = new Map<string, Labels>()
  for (const path of paths) {
    if (signal.aborted) break
    try {
      // a pipe gives what it has once
      if (!statSync(path).isFile()) continue
      for await (const documents of openFile(path, false).documents()) {
        for (const { text } of documents) {
          for (const [name, labels] of namespacesIn(text)) found.set(name, labels)
        }
      }
    } catch {}
  }
  return found
}

function note(value: unknown, found: Map<string, Labels>, depth: number): void {
  // an item of a long List is the only element of its sequence
  if (Array.isArray(value)) for (const each of value) note(each, found, depth + 1)
  if (!isObject(value) || depth > DEEPEST) return
  const items = own(value, 'items')
  if (Array.isArray(items)) for (const item of items) note(item, found, depth + 1)
  const metadata = own(value, 'metadata')
  const name = isObject(metadata) ? own(metadata, 'name') : undefined
  if (own(value, 'kind') !== 'Namespace' || typeof name !== 'string') return
  const labels = isObject(metadata) ? own(metadata, 'labels') : undefined
  const texts = Object.entries(isObject(labels) ? labels : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  found.set(name, Object.fromEntries(texts))
}
