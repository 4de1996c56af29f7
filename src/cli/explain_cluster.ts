import type { ReviewOptions } from '../admission/index.ts'
import { type Affected, affectedBy } from '../audit/index.ts'
import {
  CLUSTER_IMAGE_POLICIES,
  type Cluster,
  IMAGE_POLICIES,
  type KubernetesObject,
  openCluster,
} from '../cluster/index.ts'
import { type Config, excludedNamespaces } from '../config/index.ts'
import type { FactSource } from '../decisions/index.ts'
import { describeError } from '../errors.ts'
import type { CompiledPolicy, ImagePolicyStatus, PolicySet } from '../policies/types.ts'
import { readAuditPolicies } from './audit_policies.ts'
import { chosenCluster } from './cluster_choice.ts'
import { openClusterFacts, ownIndex } from './cluster_facts.ts'
import { customKindsFinder } from './custom_kinds.ts'
import { reviewSettings } from './review_settings.ts'
import { createStops } from './stops.ts'
import type { PromotionFact } from './timeline.ts'

/** What a cluster knows of images. */
export interface ClusterView {
  /** policies and exceptions in force, or those of files in their place */
  readonly set: PolicySet
  /** facts as reviews of a namespace see them */
  source(namespace: string): FactSource
  /** the last time that each of these policies moved workloads to a tag of this repository */
  promotions(
    policies: readonly CompiledPolicy[],
    name: string,
  ): Promise<readonly (PromotionFact & { readonly at: number })[]>
  /** the workloads with images of a repository; of one namespace, or of all */
  affected(name: string, namespace: string | undefined): Promise<Affected>
  close(): Promise<void>
}

type PolicyWithStatus = KubernetesObject & { readonly status?: ImagePolicyStatus }

/**
 * Opens a cluster for `explain --cluster`.
 *
 * @param options policies: files in place of what is in force
 * @throws TagwardenError when it can't be asked, or a policy file is wrong
 */
export async function openClusterView(
  config: Config,
  options: {
    readonly kubeconfig?: string | undefined
    readonly context?: string | undefined
    readonly policies?: readonly string[] | undefined
  },
  onProblem: (message: string) => void,
): Promise<ClusterView> {
  const stops = createStops()
  const { signal } = new AbortController()
  try {
    const cluster = await openCluster(chosenCluster(options, config))
    stops.add(() => cluster.close())
    const chosen = { ...(options.policies && { policies: options.policies }) }
    const { set, problems, isServed, namespaceLabels } = await readAuditPolicies(
      cluster,
      config,
      chosen,
      signal,
    )
    for (const problem of problems) {
      const what = problem.code === 'ERR_CLUSTER' ? '' : 'a policy is left out: '
      onProblem(`${what}${describeError(problem)}`)
    }
    const facts = await openClusterFacts({
      ...{ cluster, config, signal, onProblem },
      ...{ path: ownIndex(config), isShared: isServed, offline: false },
    })
    stops.add(() => facts.close())
    const review: ReviewOptions = {
      policies: () => set,
      source: facts.sourceFor,
      ...reviewSettings(config),
      namespaceLabels,
    }
    return {
      set,
      source: (namespace) =>
        facts.sourceFor({ kind: { group: '', kind: 'Pod' }, namespace, object: {} }),
      promotions: async (policies, name) =>
        (await Promise.all(policies.map((each) => lastPromotion(cluster, each, name)))).flat(),
      affected: async (name, namespace) =>
        affectedBy({
          ...{ cluster, review, name, namespace },
          customKinds: await customKindsFinder(cluster, config, onProblem)(),
          excludedNamespaces: new Set(excludedNamespaces(config.cluster)),
        }),
      close: stops.all,
    }
  } catch (error) {
    await stops.all()
    throw error
  }
}

/** As the status of a policy tells; nothing where it may not be read, or there is none. */
async function lastPromotion(cluster: Cluster, policy: CompiledPolicy, repository: string) {
  const { kind, namespace, name, title } = policy
  const resource = kind === 'ImagePolicy' ? IMAGE_POLICIES : CLUSTER_IMAGE_POLICIES
  const found = await cluster
    .get<PolicyWithStatus>(resource, { namespace, name })
    .catch(() => undefined)
  const last = found?.status?.lastPromotion
  if (last === undefined || last.image !== repository) return []
  return [
    {
      at: Date.parse(last.time),
      policy: title,
      tag: last.tag ?? 'another tag',
      count: last.count ?? 0,
    },
  ]
}
