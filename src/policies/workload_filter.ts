import { matchText } from './glob.ts'
import { compileLabelSelector, type Labels } from './label_selector.ts'
import type { ClusterImagePolicySpec } from './schema/image_policy.ts'
import type { ImagePolicyExceptionSpec } from './schema/image_policy_exception.ts'
import type { LabelSelector, NamedObject, Workload } from './types.ts'

/** Whether a policy is for a container of a workload, whatever its image is. */
export type WorkloadFilter = (workload: Workload, container: string | undefined) => boolean

/** Stands for labels of a namespace that could not be asked for. */
export const UNKNOWN_LABELS: Labels = Object.freeze({})

const NAME_LABEL = 'kubernetes.io/metadata.name'

/** The filter that `match` and `namespaceSelector` make; undefined if they narrow nothing. */
export function compileWorkloadFilter(spec: ClusterImagePolicySpec): WorkloadFilter | undefined {
  const { kinds, selector, containers } = spec.match ?? {}
  const filters = [labelFilter(selector), containerFilter(containers)]
  const isOfKind = kindTest(kinds)
  if (isOfKind !== undefined) filters.push(({ groupKind }) => isOfKind(groupKind))
  if (spec.namespaceSelector !== undefined) {
    const admits = compileLabelSelector(spec.namespaceSelector)
    const asks = asksForLabels(spec.namespaceSelector)
    // What nobody can tell must not be a way around a guard rail.
    const applies = (labels: Labels) => labels === UNKNOWN_LABELS && asks
    filters.push(
      (workload) => applies(workload.namespaceLabels) || admits(namespaceLabels(workload)),
    )
  }
  return all(filters)
}

/** Whether a `namespaceSelector` asks for a label that the name of a namespace does not tell. */
export function asksForLabels({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  const keys = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)]
  return keys.some((key) => key !== NAME_LABEL)
}

/** Whether a policy with this `match` has judged what these objects run: see CompiledPolicy. */
export function compileOwnerTest(
  match: ClusterImagePolicySpec['match'],
): (owners: readonly NamedObject[]) => boolean {
  const { kinds, selector } = match ?? {}
  if (selector !== undefined) return () => false
  const isOfKind = kindTest(kinds)
  return (owners) => isOfKind === undefined || (owners.length > 0 && owners.every(isOfKind))
}

/**
 * The filter of an exception. Kinds and names may be those of what the object was made from: what
 * lets a Deployment through lets its pods through.
 */
export function compileExceptionFilter(
  match: ImagePolicyExceptionSpec['match'],
): WorkloadFilter | undefined {
  const { kinds, selector, containers, names = [] } = match ?? {}
  const filters = [labelFilter(selector), containerFilter(containers)]
  const isOfKind = kindTest(kinds)
  if (isOfKind !== undefined || names.length > 0) {
    const fits = ({ group, kind, name }: NamedObject) =>
      (isOfKind?.({ group, kind }) ?? true) &&
      (names.length === 0 || names.some((pattern) => matchText(pattern, name)))
    filters.push(
      ({ groupKind, name, owners }) =>
        fits({ ...groupKind, name: name ?? '' }) || owners.some(fits),
    )
  }
  return all(filters)
}

function all(filters: readonly (WorkloadFilter | undefined)[]): WorkloadFilter | undefined {
  const given = filters.filter((filter) => filter !== undefined)
  if (given.length === 0) return undefined
  return (workload, container) => given.every((admits) => admits(workload, container))
}

function kindTest(
  kinds: readonly string[] = [],
): ((of: { group: string; kind: string }) => boolean) | undefined {
  if (kinds.length === 0) return undefined
  const wanted = new Set(kinds)
  return ({ group, kind }) => wanted.has(kind) || wanted.has(`${kind}.${group}`)
}

function labelFilter(
  selector: Parameters<typeof compileLabelSelector>[0] | undefined,
): WorkloadFilter | undefined {
  if (selector === undefined) return undefined
  const admits = compileLabelSelector(selector)
  return ({ labels }) => admits(labels)
}

function containerFilter(containers: readonly string[] = []): WorkloadFilter | undefined {
  if (containers.length === 0) return undefined
  return (_, name) => name !== undefined && containers.some((pattern) => matchText(pattern, name))
}

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name */
function namespaceLabels({ namespace, namespaceLabels }: Workload): Labels {
  return namespace === undefined ? {} : { ...namespaceLabels, [NAME_LABEL]: namespace }
}
