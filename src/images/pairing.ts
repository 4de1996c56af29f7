import type { ImageOccurrence } from './types.ts'

/**
 * For each image the one that it was in the old object, or undefined for a new container. As
 * Kubernetes merges containers by name, so does this: a container with a name of its own is the
 * old one of that name, wherever that stood; any other is the old one at the same place, if that
 * had the same name. Linear time.
 *
 * @example
 *   const before = matchOccurrences(findImages(object, …), findImages(oldObject, …))
 *   // before[i] is what occurrence i was
 */
export function matchOccurrences(
  now: readonly ImageOccurrence[],
  old: readonly ImageOccurrence[],
): (ImageOccurrence | undefined)[] {
  if (old.length === 0) return now.map(() => undefined)
  const nowByName = uniqueByName(now)
  const oldByName = uniqueByName(old)
  const oldByPointer = new Map(old.map((each) => [each.pointer, each]))
  return now.map((each) => {
    const key = nameKey(each)
    if (key !== undefined && nowByName.get(key)) {
      const before = oldByName.get(key)
      if (before !== null) return before
    }
    const there = oldByPointer.get(each.pointer)
    return there?.name === each.name ? there : undefined
  })
}

/** Occurrences by role, list and name; null where several have that name. */
function uniqueByName(
  occurrences: readonly ImageOccurrence[],
): Map<string, ImageOccurrence | null> {
  const byName = new Map<string, ImageOccurrence | null>()
  for (const each of occurrences) {
    const key = nameKey(each)
    if (key !== undefined) byName.set(key, byName.has(key) ? null : each)
  }
  return byName
}

function nameKey({ role, name, pointer }: ImageOccurrence): string | undefined {
  if (name === undefined) return undefined
  // Two configured lists may hold the same name; the pointer without its indices tells them apart.
  const list = role === 'custom' ? pointer.replace(/\/[0-9]+(?=\/|$)/g, '/*') : role
  return `${list} ${name}`
}
