import { matchText } from './glob.ts'
import { compileLabelSelector, type Labels } from './label_selector.ts'
import type { ClusterImagePolicySpec } from './schema/image_policy.ts'
import type { Workload } from './types.ts'

/** Whether a policy is for a container of a workload, whatever its image is. */
export type WorkloadFilter = (workload: Workload, container: string | undefined) => boolean

/** The filter that `match` and `namespaceSelector` make; undefined if they narrow nothing. */
export function compileWorkloadFilter(spec: ClusterImagePolicySpec): WorkloadFilter | undefined {
  const { kinds, selector, containers } = spec.match ?? {}
  const filters: WorkloadFilter[] = []
  if (kinds !== undefined && kinds.length > 0) {
    const wanted = new Set(kinds)
    filters.push(
      ({ groupKind: { group, kind } }) => wanted.has(kind) || wanted.has(`${kind}.${group}`),
    )
  }
  if (selector !== undefined) {
    const admits = compileLabelSelector(selector)
    filters.push(({ labels }) => admits(labels))
  }
  if (containers !== undefined && containers.length > 0) {
    filters.push(
      (_, name) => name !== undefined && containers.some((pattern) => matchText(pattern, name)),
    )
  }
  if (spec.namespaceSelector !== undefined) {
    const admits = compileLabelSelector(spec.namespaceSelector)
    filters.push((workload) => admits(namespaceLabels(workload)))
  }
  if (filters.length === 0) return undefined
  return (workload, container) => filters.every((admits) => admits(workload, container))
}

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name */
function namespaceLabels({ namespace, namespaceLabels }: Workload): Labels {
  return namespace === undefined
    ? {}
    : { ...namespaceLabels, 'kubernetes.io/metadata.name': namespace }
}
