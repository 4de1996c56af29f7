import type { ExceptionEntry } from './compile_exception.ts'
import type { PolicyEntry } from './compile_policy.ts'
import { contentHash } from './content_hash.ts'
import { indexExceptions } from './exception_index.ts'
import { type Covering, indexPolicies } from './name_index.ts'
import type { CompiledPolicy, CompiledRepository, PolicySet, Workload } from './types.ts'

/** What a set is made of. */
export interface SetParts {
  readonly policies: readonly PolicyEntry[]
  readonly exceptions: readonly ExceptionEntry[]
  readonly repositories: readonly { repository: CompiledRepository; hash: string }[]
}

/** The set of these policies, indexed for match(). */
export function makePolicySet({ policies, exceptions, repositories }: SetParts): PolicySet {
  const cluster = indexPolicies(policies.filter(({ policy }) => policy.namespace === undefined))
  const namespaces = new Map<string, Covering>()
  const groups = Map.groupBy(policies, ({ policy }) => policy.namespace)
  for (const [namespace, members] of groups) {
    if (namespace !== undefined) namespaces.set(namespace, indexPolicies(members))
  }
  let everywhere: Covering | undefined
  const hashes = [...policies, ...exceptions, ...repositories].map(({ hash }) => hash).sort()
  return Object.freeze({
    policies: Object.freeze(policies.map(({ policy }) => policy)),
    repositories: Object.freeze(repositories.map(({ repository }) => repository)),
    allExceptions: Object.freeze(exceptions.map(({ exception }) => exception)),
    revision: contentHash(hashes.join()),
    match: (image, workload, container) => {
      const matching: CompiledPolicy[] = []
      const own = workload.namespace === undefined ? undefined : namespaces.get(workload.namespace)
      if (own !== undefined) addApplying(matching, own(image.name), workload, container)
      addApplying(matching, cluster(image.name), workload, container)
      return matching
    },
    exceptions: indexExceptions(exceptions),
    covering: (name) => {
      everywhere ??= indexPolicies(policies)
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
