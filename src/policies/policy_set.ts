import type { PolicyEntry } from './compile_policy.ts'
import { contentHash } from './content_hash.ts'
import { type Covering, indexNames } from './name_index.ts'
import type { CompiledPolicy, PolicySet, Workload } from './types.ts'

/** The set of these policies, indexed for match(). */
export function makePolicySet(entries: readonly PolicyEntry[]): PolicySet {
  const cluster = indexNames(entries.filter(({ policy }) => policy.namespace === undefined))
  const namespaces = new Map<string, Covering>()
  const groups = Map.groupBy(entries, ({ policy }) => policy.namespace)
  for (const [namespace, members] of groups) {
    if (namespace !== undefined) namespaces.set(namespace, indexNames(members))
  }
  let everywhere: Covering | undefined
  const hashes = entries.map(({ hash }) => hash).sort()
  return Object.freeze({
    policies: Object.freeze(entries.map(({ policy }) => policy)),
    revision: contentHash(hashes.join()),
    match: (image, workload, container) => {
      const matching: CompiledPolicy[] = []
      const own = workload.namespace === undefined ? undefined : namespaces.get(workload.namespace)
      if (own !== undefined) addApplying(matching, own(image.name), workload, container)
      addApplying(matching, cluster(image.name), workload, container)
      return matching
    },
    covering: (name) => {
      everywhere ??= indexNames(entries)
      return everywhere(name).map(({ policy }) => policy)
    },
  } satisfies PolicySet)
}

function addApplying(
  matching: CompiledPolicy[],
  covering: readonly PolicyEntry[],
  workload: Workload,
  container: string | undefined,
): void {
  for (const { policy, filter } of covering) {
    if (filter === undefined || filter(workload, container)) matching.push(policy)
  }
}
