import { type AuditOptions, audit } from '../../src/audit/index.ts'
import {
  apiVersionOf,
  DEPLOYMENTS,
  type KubernetesObject,
  PODS,
  REPLICA_SETS,
  type ResourceName,
} from '../../src/cluster/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import type { Report } from '../../src/reports/index.ts'
import { reviewOptions } from '../admission/reviews.ts'
import { createFakeCluster, type FakeCluster } from '../fakes/cluster.ts'
import { digest, NOW, policy, snapshot, source } from '../fakes/facts.ts'

export const WEB = 'ghcr.io/acme/web'

/** v1.4.2 is b and was a before. */
const FACTS = snapshot(WEB, {
  'v1.3.0': { digest: digest('3') },
  'v1.4.1': { digest: digest('c') },
  'v1.4.2': { digest: digest('b'), before: [digest('a')] },
})

const AVAILABLE = {
  observedGeneration: 1,
  ...{ replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1 },
}

type Metadata = Partial<KubernetesObject['metadata']>

/** A Deployment of one container that is rolled out. */
export function deployment(name: string, image: unknown, metadata: Metadata = {}) {
  const template = { spec: { containers: [{ name: 'app', image }] } }
  return {
    metadata: { name, namespace: 'shop', generation: 1, ...metadata },
    spec: { replicas: 1, template },
    status: AVAILABLE,
  }
}

export function pod(name: string, image: unknown, imageID: unknown, metadata: Metadata = {}) {
  return {
    metadata: { name, namespace: 'shop', ...metadata },
    spec: { containers: [{ name: 'app', image }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'app', imageID }] },
  }
}

/** The ownerReference of a controller. */
export function ownedBy(resource: ResourceName, { metadata }: KubernetesObject) {
  const { name, uid } = metadata
  const apiVersion = apiVersionOf(resource)
  return { ownerReferences: [{ apiVersion, kind: resource.kind, name, uid, controller: true }] }
}

/** Puts a Deployment with its ReplicaSet and pods, each with what it runs. */
export function rollOut(
  cluster: FakeCluster,
  name: string,
  image: string,
  pods: readonly (readonly [image: string, imageID: string])[],
  metadata: Metadata = {},
): void {
  const owner = cluster.put(DEPLOYMENTS, deployment(name, image, metadata))
  const { namespace = 'shop' } = owner.metadata
  const of = { namespace, ...ownedBy(DEPLOYMENTS, owner) }
  const set = cluster.put(REPLICA_SETS, deployment(`${name}-5d4f`, image, of))
  for (const [index, [own, imageID]] of pods.entries()) {
    const more = { namespace, ...ownedBy(REPLICA_SETS, set) }
    cluster.put(PODS, pod(`${name}-5d4f-${index}`, own, imageID, more))
  }
}

/** Policies in force as the tests have them. */
export function reviewBy(policies: readonly CompiledPolicy[] = [policy()]) {
  const options = reviewOptions(policies, { source: source([FACTS]) })
  const set = options.policies()
  return {
    ...options,
    policies: () => ({
      ...set,
      match: (image: { name: string }, { namespace }: { namespace: string | undefined }) =>
        policies.filter(
          (each) => each.covers(image.name) && (each.namespace ?? namespace) === namespace,
        ),
    }),
  }
}

export function newCluster(): FakeCluster {
  return createFakeCluster({ clock: () => NOW })
}

export async function audited(
  cluster: FakeCluster,
  more: Partial<AuditOptions> = {},
): Promise<Report> {
  const options = { cluster, review: reviewBy(), version: '0.1.0', clock: () => NOW, ...more }
  return (await audit(options)).report
}

/** `deny LatestTag Deployment shop/web`, in order. */
export function lines({ findings }: Pick<Report, 'findings'>): string[] {
  return findings.map(
    ({ level, reason, subject: { kind, namespace, name } }) =>
      `${level} ${reason} ${kind} ${namespace}/${name}`,
  )
}
