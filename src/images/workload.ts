import type { GroupKind } from './types.ts'

/** A resource of the Kubernetes API that holds images, as a webhook rule names it. */
export interface WorkloadResource extends GroupKind {
  readonly version: string
  /** plural, with the subresource if it is one */
  readonly resource: string
}

interface Workload extends WorkloadResource {
  /** keys on the way to the pod spec */
  readonly podSpec: readonly string[]
}

const TEMPLATE = ['spec', 'template', 'spec']

const WORKLOADS: readonly Workload[] = [
  workload('', 'v1', 'pods', 'Pod', ['spec']),
  workload('', 'v1', 'pods/ephemeralcontainers', 'Pod', ['spec']),
  workload('', 'v1', 'podtemplates', 'PodTemplate', ['template', 'spec']),
  workload('', 'v1', 'replicationcontrollers', 'ReplicationController', TEMPLATE),
  workload('apps', 'v1', 'deployments', 'Deployment', TEMPLATE),
  workload('apps', 'v1', 'statefulsets', 'StatefulSet', TEMPLATE),
  workload('apps', 'v1', 'daemonsets', 'DaemonSet', TEMPLATE),
  workload('apps', 'v1', 'replicasets', 'ReplicaSet', TEMPLATE),
  workload('batch', 'v1', 'jobs', 'Job', TEMPLATE),
  workload('batch', 'v1', 'cronjobs', 'CronJob', ['spec', 'jobTemplate', ...TEMPLATE]),
]

/** No API server of today serves these, but manifests in files still name them. */
const LEGACY_GROUP = 'extensions'
const LEGACY_KINDS = new Set(['Deployment', 'DaemonSet', 'ReplicaSet'])

const POD_SPECS = new Map(WORKLOADS.map((each) => [`${each.group}/${each.kind}`, each.podSpec]))
for (const kind of LEGACY_KINDS) POD_SPECS.set(`${LEGACY_GROUP}/${kind}`, TEMPLATE)

/** What a webhook has to be called for, to see every image of the built-in kinds. */
export const WORKLOAD_RESOURCES: readonly WorkloadResource[] = Object.freeze(
  WORKLOADS.map(({ group, version, resource, kind }) =>
    Object.freeze({ group, version, resource, kind }),
  ),
)

/** The kinds whose images are found without configuration, each once. */
export const builtinKinds: readonly GroupKind[] = Object.freeze(
  [...POD_SPECS.keys()].map((key) => {
    const [group = '', kind = ''] = key.split('/')
    return Object.freeze({ group, kind })
  }),
)

/** The API group that an `apiVersion` names; empty for the core group. */
export function groupOf(apiVersion: string): string {
  return apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')))
}

/** The keys that lead to the pod spec of a built-in kind. */
export function podSpecKeys({ group, kind }: GroupKind): readonly string[] | undefined {
  return POD_SPECS.get(`${group}/${kind}`)
}

function workload(
  group: string,
  version: string,
  resource: string,
  kind: string,
  podSpec: readonly string[],
): Workload {
  return { group, version, resource, kind, podSpec }
}
