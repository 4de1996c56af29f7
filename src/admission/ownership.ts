import { type AdmissionRequest, isObject, type JsonObject, objectAt, own } from './review.ts'

const SERVICE_ACCOUNT = 'system:serviceaccount:'

/**
 * The accounts of Kubernetes' own controllers (with --use-service-account-credentials), by
 * apiVersion and kind of what they make objects from.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles
 */
export const CONTROLLER_ACCOUNTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'apps/v1/Deployment': 'deployment-controller',
    'apps/v1/ReplicaSet': 'replicaset-controller',
    'apps/v1/StatefulSet': 'statefulset-controller',
    'apps/v1/DaemonSet': 'daemon-set-controller',
    'batch/v1/Job': 'job-controller',
    'batch/v1/CronJob': 'cronjob-controller',
    'v1/ReplicationController': 'replication-controller',
  }).map(([owner, name]) => [owner, `${SERVICE_ACCOUNT}kube-system:${name}`]),
)

/** Whether a controller made an object, and whether what it was made from is reviewed itself. */
export type Ownership = 'none' | 'reviewed' | 'operator'

/**
 * Whether this request comes from the controller that owns the object, so that it may be judged
 * but never changed. The account counts, not the ownerReference alone: that anybody can write.
 *
 * @param controllers full account names that count as owners of whatever they make
 * @returns `reviewed`: Kubernetes' own controller, whose source has been reviewed; `operator`: an
 *   account that may be anybody's, so that nothing is forgiven
 */
export function ownershipOf(
  request: AdmissionRequest,
  controllers: ReadonlySet<string>,
): Ownership {
  const owner = controllerReference(request.object)
  if (!owner) {
    return 'none'
  }
  const { username } = request
  if (controllers.has(username) || username === 'system:kube-controller-manager') {
    return 'reviewed'
  }
  if (!username.startsWith(SERVICE_ACCOUNT)) {
    return 'none'
  }
  const account = CONTROLLER_ACCOUNTS.get(`${own(owner, 'apiVersion')}/${own(owner, 'kind')}`)
  if (account === undefined) {
    return 'operator'
  }
  return username === account ? 'reviewed' : 'none'
}

/** The ownerReference of the controller that an object says it has. */
export function controllerReference(object: JsonObject | undefined): JsonObject | undefined {
  const references = own(objectAt(object, 'metadata'), 'ownerReferences')
  return Array.isArray(references)
    ? references.find((entry) => isObject(entry) && own(entry, 'controller') === true)
    : undefined
}

/** Why a request needs no look at all; undefined: it does. */
export function skipped(request: AdmissionRequest): string | undefined {
  if (request.operation === 'DELETE' || request.operation === 'CONNECT') {
    return request.operation.toLowerCase()
  }
  if (request.subResource !== '' && request.subResource !== 'ephemeralcontainers') {
    return `subresource ${request.subResource}`
  }
  const metadata = objectAt(request.object, 'metadata')
  const before = objectAt(request.oldObject, 'metadata')
  // What is there says so. In a new object, and in an update, it may be anybody's claim.
  if (own(before, 'deletionTimestamp')) {
    return 'being deleted'
  }
  const mirror = own(objectAt(metadata, 'annotations'), 'kubernetes.io/config.mirror')
  if (mirror !== undefined && request.username.startsWith('system:node:')) {
    return 'mirror pod'
  }
  return undefined
}
