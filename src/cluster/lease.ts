import { LEASES, typeMetaOf } from './resources.ts'
import type { KubernetesObject, ObjectKey, OwnerReference } from './types.ts'

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
export interface Lease extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

/** Who holds a lease, or would. */
export interface Holder {
  readonly identity: string
  /** ms */
  readonly duration: number
}

/** A lease that its first holder makes. */
export function newLease(
  key: ObjectKey,
  holder: Holder,
  now: number,
  owner?: OwnerReference,
): Lease {
  const metadata = { ...key, ...(owner && { ownerReferences: [owner] }) } as Lease['metadata']
  const empty = { ...typeMetaOf(LEASES), metadata }
  return {
    ...empty,
    spec: { ...held(holder, now), acquireTime: microTime(now), leaseTransitions: 0 },
  }
}

/** The lease renewed, or taken over from who held it. */
export function heldLease(lease: Lease, holder: Holder, now: number): Lease {
  const { holderIdentity, acquireTime = microTime(now), leaseTransitions = 0 } = lease.spec ?? {}
  const taken = holderIdentity !== holder.identity
  return {
    ...lease,
    spec: {
      ...lease.spec,
      ...held(holder, now),
      acquireTime: taken ? microTime(now) : acquireTime,
      leaseTransitions: leaseTransitions + (taken ? 1 : 0),
    },
  }
}

/** The lease given back: whoever looks next may take it. */
export function freeLease(lease: Lease, now: number): Lease {
  const { holderIdentity, ...spec } = lease.spec ?? {}
  return { ...lease, spec: { ...spec, leaseDurationSeconds: 1, renewTime: microTime(now) } }
}

function held({ identity, duration }: Holder, now: number) {
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(duration / 1000),
    renewTime: microTime(now),
  }
}

/** RFC 3339 with six digits, which the API server insists on. */
export function microTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z')
}
