import { hasReason } from './cluster_error.ts'
import { CLUSTER_ROLES, typeMetaOf } from './resources.ts'
import type { Cluster, OwnerReference } from './types.ts'

/**
 * The ClusterRole of the installation as an owner: when it is deleted, as `helm uninstall` does,
 * Kubernetes deletes what belongs to it too, also after a crash.
 *
 * @returns undefined when there is none, or it may not be read
 */
export async function findOwner(
  cluster: Pick<Cluster, 'get'>,
  name: string,
): Promise<OwnerReference | undefined> {
  try {
    const role = await cluster.get(CLUSTER_ROLES, { name })
    const uid = role?.metadata.uid
    return uid === undefined ? undefined : { ...typeMetaOf(CLUSTER_ROLES), name, uid }
  } catch (error) {
    if (hasReason(error, 'Forbidden')) return undefined
    throw error
  }
}
