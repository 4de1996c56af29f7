import type { ImageReference } from '../images/types.ts'
import { compareTexts } from '../pieces/index.ts'
import type { ExceptionEntry } from './compile_exception.ts'
import { type Covering, indexNames } from './name_index.ts'
import type { CompiledException, Workload } from './types.ts'

const NONE: readonly CompiledException[] = Object.freeze([])

/** Finds the exceptions for an image of a workload, those that last longest first. */
export function indexExceptions(
  entries: readonly ExceptionEntry[],
): (
  image: ImageReference,
  workload: Workload,
  container: string | undefined,
) => readonly CompiledException[] {
  const namespaces = new Map<string, Covering<ExceptionEntry>>()
  for (const [namespace, members] of Map.groupBy(entries, ({ exception }) => exception.namespace)) {
    namespaces.set(namespace, indexNames(members, longestFirst))
  }
  return (image, workload, container) => {
    const own = workload.namespace === undefined ? undefined : namespaces.get(workload.namespace)
    const covering = own?.(image.name) ?? []
    if (covering.length === 0) return NONE
    return covering
      .filter(
        ({ exception, filter }) =>
          exception.covers(image) !== undefined && (filter?.(workload, container) ?? true),
      )
      .map(({ exception }) => exception)
  }
}

function longestFirst(entries: readonly ExceptionEntry[]): readonly ExceptionEntry[] {
  return entries.toSorted(
    ({ exception: a }, { exception: b }) => b.expires - a.expires || compareTexts(a.name, b.name),
  )
}
