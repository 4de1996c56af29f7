import { type Cluster, hasReason, type ResourceName } from '../cluster/index.ts'

const CLUSTER_ROLES: ResourceName = Object.freeze({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterroles',
  kind: 'ClusterRole',
  namespaced: false,
})

/**
 * The ClusterRole of the installation as an owner: when it is deleted, as `helm uninstall` does,
 * Kubernetes deletes the webhook configurations too, also after a crash.
 *
 * @returns undefined when there is none, or it may not be read
 */
export async function findOwner(cluster: Cluster, name: string): Promise<object | undefined> {
  const { group, version, kind } = CLUSTER_ROLES
  try {
    const role = await cluster.get(CLUSTER_ROLES, { name })
    return role && { apiVersion: `${group}/${version}`, kind, name, uid: role.metadata.uid }
  } catch (error) {
    if (hasReason(error, 'Forbidden')) {
      return undefined
    }
    throw error
  }
}
