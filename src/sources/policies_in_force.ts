import {
  CLUSTER_IMAGE_POLICIES,
  type Cluster,
  ClusterError,
  FLUX_IMAGE_POLICIES,
  FLUX_IMAGE_REPOSITORIES,
  hasReason,
  IMAGE_POLICIES,
  IMAGE_POLICY_EXCEPTIONS,
  type KubernetesObject,
  keyText,
  NAMESPACES,
  type ResourceName,
  typeMetaOf,
} from '../cluster/index.ts'
import { TagwardenError } from '../errors.ts'
import {
  asksForLabels,
  type PolicyResource,
  type PolicySet,
  readObjects,
  UNKNOWN_LABELS,
} from '../policies/index.ts'
import type { ImagePolicyStatus } from '../policies/types.ts'
import { asLastGood } from './last_good.ts'
import type { SpecObject } from './policy_object.ts'

type Labels = Readonly<Record<string, string>>

/** The policies of a cluster at one moment. */
export interface PoliciesInForce {
  /** for compilePolicies(), with what files add: see overlaid() */
  readonly resources: readonly PolicyResource[]
  /** what is wrong with objects, and what could not be read */
  readonly problems: readonly TagwardenError[]
  /** whether the cluster has the kinds of Tagwarden */
  readonly isServed: boolean
  /** labels of a namespace; UNKNOWN_LABELS where they may not be read, as at admission */
  readonly namespaceLabels: (namespace: string) => Labels
  /** why they may not: a `namespaceSelector` that asks for them then selects every namespace */
  readonly unlabelled: TagwardenError | undefined
}

const OWN = [IMAGE_POLICIES, CLUSTER_IMAGE_POLICIES, IMAGE_POLICY_EXCEPTIONS]
const FLUX = [FLUX_IMAGE_REPOSITORIES, FLUX_IMAGE_POLICIES]
const NO_LABELS: Labels = Object.freeze({})

/**
 * Reads the policies that are in force, once: Tagwarden's own, exceptions, and Flux's where their
 * CRDs are. What may not be read is a problem, and the rest counts.
 *
 * @param namespace only what counts in this one
 * @throws ClusterError when the API server can't be asked
 */
export async function readPoliciesInForce(
  cluster: Pick<Cluster, 'pages' | 'get' | 'serves'>,
  namespace?: string,
  signal?: AbortSignal,
): Promise<PoliciesInForce> {
  const problems: TagwardenError[] = []

  /** undefined: it is not served, or may not be read */
  async function listed(resource: ResourceName, named: string | undefined) {
    const objects: SpecObject[] = []
    const where = resource.namespaced ? named : undefined
    try {
      for await (const page of cluster.pages<SpecObject>(resource, { namespace: where, signal })) {
        objects.push(...page)
      }
      return objects
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined
      if (!hasReason(error, 'Forbidden')) throw error
      // Rights come first: what nobody serves is forbidden too.
      if (!(await cluster.serves(resource))) return undefined
      problems.push(error as ClusterError)
      return []
    }
  }

  async function own(resource: ResourceName) {
    return { resource, objects: await listed(resource, namespace) }
  }

  /** Flux before 2.7 serves the same kinds as v1beta2 only; a policy may name a foreign repository. */
  async function flux(resource: ResourceName) {
    const newer = await listed(resource, undefined)
    const objects = newer ?? (await listed({ ...resource, version: 'v1beta2' }, undefined))
    return { resource, objects }
  }

  const [lists, labels] = await Promise.all([
    Promise.all([...OWN.map(own), ...FLUX.map(flux)]),
    labelsOf(cluster, namespace, signal),
  ])
  const resources: PolicyResource[] = []
  for (const { resource, objects = [] } of lists) {
    const type = typeMetaOf(resource)
    const counting = objects.map((object) => {
      const before = lastGoodIn(object)
      if (before) problems.push(wrong(resource, object))
      return before ?? object
    })
    const read = readObjects(counting, type)
    resources.push(...read.resources)
    problems.push(...read.problems)
  }
  return {
    resources,
    problems,
    isServed: lists.some(
      ({ resource, objects }) => resource === IMAGE_POLICIES && objects !== undefined,
    ),
    namespaceLabels: (of) =>
      labels.found.get(of) ?? (labels.problem && of !== '' ? UNKNOWN_LABELS : NO_LABELS),
    unlabelled: labels.problem,
  }
}

/** What the replicas decide by while the newest version of a policy is wrong, as they tell. */
function lastGoodIn(object: SpecObject): SpecObject | undefined {
  const { observedGeneration } = (object.status ?? {}) as ImagePolicyStatus
  return observedGeneration === object.metadata.generation ? asLastGood(object)?.object : undefined
}

function wrong({ kind }: ResourceName, { metadata, status }: SpecObject): TagwardenError {
  const { conditions } = status as ImagePolicyStatus
  const message = conditions?.find(({ type }) => type === 'Ready')?.message ?? 'it is wrong'
  const file = `${kind} ${keyText(metadata)}`
  return new TagwardenError('ERR_INVALID_POLICY', message, { position: { file } })
}

/** What of the labels of namespaces is lacking to these policies, for a report. */
export function lackingLabels(
  { unlabelled }: Pick<PoliciesInForce, 'unlabelled'>,
  sets: readonly (PolicySet | undefined)[],
): readonly TagwardenError[] {
  const selects = sets.some((set) =>
    set?.policies.some(({ namespaceSelector: by }) => by !== undefined && asksForLabels(by)),
  )
  if (!unlabelled || !selects) return []
  const message = `labels of namespaces are not known, so policies that select by them are taken to apply in every namespace: ${unlabelled.message}`
  const { remedy } = unlabelled
  return [new TagwardenError('ERR_CLUSTER', message, { remedy, cause: unlabelled })]
}

/**
 * These policies with others laid over: one of the same kind, namespace and name takes its place.
 */
export function overlaid(
  resources: readonly PolicyResource[],
  over: readonly PolicyResource[],
): PolicyResource[] {
  const replaced = new Set(over.map(nameOf))
  return [...over, ...resources.filter((each) => !replaced.has(nameOf(each)))]
}

function nameOf(resource: PolicyResource): string {
  if ('draft' in resource) return resource.draft.title
  return `${resource.type} ${resource.namespace}/${resource.name}`
}

async function labelsOf(
  cluster: Pick<Cluster, 'pages' | 'get'>,
  namespace: string | undefined,
  signal: AbortSignal | undefined,
): Promise<{
  readonly found: ReadonlyMap<string, Labels>
  readonly problem: ClusterError | undefined
}> {
  const labels = new Map<string, Labels>()
  const keep = ({ metadata }: KubernetesObject) =>
    void labels.set(metadata.name, metadata.labels ?? NO_LABELS)
  try {
    if (namespace !== undefined) {
      const found = await cluster.get<KubernetesObject>(NAMESPACES, { name: namespace }, { signal })
      if (found) keep(found)
    } else {
      for await (const page of cluster.pages(NAMESPACES, { signal })) page.forEach(keep)
    }
  } catch (error) {
    if (!(error instanceof ClusterError) || error.reason !== 'Forbidden') throw error
    return { found: labels, problem: error }
  }
  return { found: labels, problem: undefined }
}
