import type { ResourceName } from './types.ts'

const OWN = 'tagwarden.io/v1alpha1'
const FLUX = 'image.toolkit.fluxcd.io/v1'
const ADMISSION = 'admissionregistration.k8s.io/v1'

export const IMAGE_POLICIES = namespaced(OWN, 'imagepolicies', 'ImagePolicy')
export const CLUSTER_IMAGE_POLICIES = clusterScoped(
  OWN,
  'clusterimagepolicies',
  'ClusterImagePolicy',
)
export const IMAGE_REPOSITORIES = namespaced(OWN, 'imagerepositories', 'ImageRepository')
export const IMAGE_POLICY_EXCEPTIONS = namespaced(
  OWN,
  'imagepolicyexceptions',
  'ImagePolicyException',
)

/** Flux serves v1 since 2.7; the same kinds are at v1beta2 before that. */
export const FLUX_IMAGE_REPOSITORIES = namespaced(FLUX, 'imagerepositories', 'ImageRepository')
export const FLUX_IMAGE_POLICIES = namespaced(FLUX, 'imagepolicies', 'ImagePolicy')

export const PODS = namespaced('v1', 'pods', 'Pod')
export const POD_TEMPLATES = namespaced('v1', 'podtemplates', 'PodTemplate')
export const REPLICATION_CONTROLLERS = namespaced(
  'v1',
  'replicationcontrollers',
  'ReplicationController',
)
export const DEPLOYMENTS = namespaced('apps/v1', 'deployments', 'Deployment')
export const STATEFUL_SETS = namespaced('apps/v1', 'statefulsets', 'StatefulSet')
export const DAEMON_SETS = namespaced('apps/v1', 'daemonsets', 'DaemonSet')
export const REPLICA_SETS = namespaced('apps/v1', 'replicasets', 'ReplicaSet')
export const JOBS = namespaced('batch/v1', 'jobs', 'Job')
export const CRON_JOBS = namespaced('batch/v1', 'cronjobs', 'CronJob')

/** The built-in kinds that hold images. */
export const WORKLOADS: readonly ResourceName[] = Object.freeze([
  ...[DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, REPLICA_SETS, REPLICATION_CONTROLLERS],
  ...[JOBS, CRON_JOBS, PODS, POD_TEMPLATES],
])

export const NAMESPACES = clusterScoped('v1', 'namespaces', 'Namespace')
export const SECRETS = namespaced('v1', 'secrets', 'Secret')
export const SERVICE_ACCOUNTS = namespaced('v1', 'serviceaccounts', 'ServiceAccount')
export const LEASES = namespaced('coordination.k8s.io/v1', 'leases', 'Lease')
export const EVENTS = namespaced('events.k8s.io/v1', 'events', 'Event')
export const MUTATING_WEBHOOK_CONFIGURATIONS = clusterScoped(
  ADMISSION,
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
)
export const VALIDATING_WEBHOOK_CONFIGURATIONS = clusterScoped(
  ADMISSION,
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
)
export const CLUSTER_ROLES = clusterScoped(
  'rbac.authorization.k8s.io/v1',
  'clusterroles',
  'ClusterRole',
)
export const CUSTOM_RESOURCE_DEFINITIONS = clusterScoped(
  'apiextensions.k8s.io/v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
)

/** Results of policies, as any engine tells them: https://github.com/openreports/reports-api */
export const REPORTS = namespaced('openreports.io/v1alpha1', 'reports', 'Report')
export const CLUSTER_REPORTS = clusterScoped(
  'openreports.io/v1alpha1',
  'clusterreports',
  'ClusterReport',
)
/** The same before it got a group of its own. */
export const POLICY_REPORTS = namespaced('wgpolicyk8s.io/v1alpha2', 'policyreports', 'PolicyReport')
export const CLUSTER_POLICY_REPORTS = clusterScoped(
  'wgpolicyk8s.io/v1alpha2',
  'clusterpolicyreports',
  'ClusterPolicyReport',
)

/**
 * `apiVersion` as objects of a resource carry it.
 *
 * @example
 *   apiVersionOf(DEPLOYMENTS) // apps/v1
 */
export function apiVersionOf({ group, version }: Pick<ResourceName, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`
}

/** The fields that say what an object of a resource is. */
export function typeMetaOf(resource: ResourceName): { apiVersion: string; kind: string } {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind }
}

function namespaced(apiVersion: string, plural: string, kind: string): ResourceName {
  return named(apiVersion, plural, kind, true)
}

function clusterScoped(apiVersion: string, plural: string, kind: string): ResourceName {
  return named(apiVersion, plural, kind, false)
}

function named(apiVersion: string, plural: string, kind: string, scoped: boolean): ResourceName {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  return Object.freeze({ group, version, plural, kind, namespaced: scoped })
}
