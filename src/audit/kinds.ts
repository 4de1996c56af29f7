import { controllerReference } from '../admission/index.ts'
import {
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  JOBS,
  type KubernetesObject,
  POD_TEMPLATES,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  type ResourceName,
  STATEFUL_SETS,
} from '../cluster/index.ts'
import { groupOf } from '../images/index.ts'

/** What is owned stands before what owns it: so a list of owners needs to be read once only. */
const BUILT_IN: readonly ResourceName[] = Object.freeze([
  ...[PODS, REPLICA_SETS, JOBS, REPLICATION_CONTROLLERS],
  ...[DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, CRON_JOBS, POD_TEMPLATES],
])

/** The kinds whose objects are mostly made by others. */
export const FOLDED: readonly ResourceName[] = Object.freeze([PODS, REPLICA_SETS, JOBS])

/** The kinds that are looked at, in the order in which they are. */
export function auditedKinds(customKinds: readonly ResourceName[]): readonly ResourceName[] {
  const known = new Set(BUILT_IN.map(kindText))
  return [...BUILT_IN, ...customKinds.filter((each) => !known.has(kindText(each)))]
}

/** Who owns an object, so that it stands for nothing of its own. */
export interface Owner {
  /** tells owners apart, also of two namespaces */
  readonly key: string
  /** group and kind, as kindText() gives them */
  readonly kind: string
}

/** The controller that an object says it belongs to; anybody may have written that. */
export function ownerOf({ metadata }: KubernetesObject): Owner | undefined {
  const { apiVersion, kind, uid } = controllerReference({ metadata }) ?? {}
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof uid !== 'string') {
    return undefined
  }
  const group = groupOf(apiVersion)
  return { key: ownerKey(metadata.namespace, uid), kind: kindText({ group, kind }) }
}

/** The key under which others name an object as their owner. */
export function keyOf({ metadata }: KubernetesObject): string {
  return ownerKey(metadata.namespace, metadata.uid ?? '')
}

export function kindText({ group, kind }: Pick<ResourceName, 'group' | 'kind'>): string {
  return `${group}/${kind}`
}

function ownerKey(namespace: string | undefined, uid: string): string {
  return `${namespace ?? ''} ${uid}`
}
