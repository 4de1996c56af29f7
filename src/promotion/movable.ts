import { controllerReference, HOLD_ANNOTATION } from '../admission/index.ts'
import {
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  type KubernetesObject,
  type ResourceName,
  STATEFUL_SETS,
  WORKLOADS,
} from '../cluster/index.ts'
import type { GroupKind, ImageField } from '../images/index.ts'

/**
 * The built-in kinds that make their pods anew when their template changes. A Job's template never
 * changes, and a Pod, PodTemplate, ReplicaSet or ReplicationController would only be rewritten.
 */
const PROMOTED: readonly ResourceName[] = Object.freeze([
  ...[DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, CRON_JOBS],
])

/** Whether workloads of a kind are moved; those that fields name beyond the built-in ones are. */
export function isPromoted({ group, kind }: GroupKind, fields: readonly ImageField[]): boolean {
  const isOf = (each: GroupKind) => each.group === group && each.kind === kind
  return PROMOTED.some(isOf) || (fields.some(isOf) && !WORKLOADS.some(isOf))
}

/** The resources whose objects are moved, each once; fields may name one twice, or a built-in one. */
export function promotedResources(custom: readonly ResourceName[]): readonly ResourceName[] {
  const all = new Map<string, ResourceName>()
  for (const each of [...PROMOTED, ...custom]) {
    if (isPromoted(each, [{ ...each, paths: [] }])) all.set(`${each.group}/${each.kind}`, each)
  }
  return [...all.values()]
}

/** Where a workload is. */
export interface Place {
  readonly resource: ResourceName
  readonly namespace: string
  readonly name: string
}

/** `Deployment shop/web` */
export function placeTitle({ resource, namespace, name }: Place): string {
  return `${resource.kind} ${namespace}/${name}`
}

/** Why a workload stays as it is, whatever is newer; undefined: it may be moved. */
export function whyUnmoved(object: KubernetesObject): string | undefined {
  const { metadata } = object
  if (metadata.deletionTimestamp !== undefined) return 'it is being deleted'
  if (isHeld(object)) return `it has ${HOLD_ANNOTATION}`
  if (controllerReference({ metadata })) return 'a controller owns it'
  // Somebody paused it to work on it, and a second change would go out with theirs.
  const spec = (object as { readonly spec?: { readonly paused?: unknown } }).spec
  if (spec?.paused === true) return 'it is paused'
  return undefined
}

/** Why nothing in a namespace is moved; undefined: it may be. */
export function whyNamespaceUnmoved(namespace: KubernetesObject | undefined): string | undefined {
  if (namespace === undefined) return 'its namespace is gone'
  if (namespace.metadata.deletionTimestamp !== undefined) return 'its namespace is being deleted'
  return isHeld(namespace) ? `its namespace has ${HOLD_ANNOTATION}` : undefined
}

function isHeld({ metadata }: KubernetesObject): boolean {
  const annotations = metadata.annotations ?? {}
  return Object.hasOwn(annotations, HOLD_ANNOTATION) && annotations[HOLD_ANNOTATION] === 'true'
}
