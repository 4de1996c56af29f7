import type { CustomResource } from './custom_resource.ts'
import { ClusterImagePolicySpec, ImagePolicySpec } from './image_policy.ts'

const columns = [
  ['Images', '.spec.images'],
  ['Semver', '.spec.order.semver.range'],
  ['Order', '.spec.order', 'string', 1],
  ['Action', '.spec.action'],
  ['Enforcement', '.spec.enforcement'],
  ['Age', '.metadata.creationTimestamp', 'date'],
] as const

/** Every kind that has a CRD. Short names differ from Flux's (imgpol, imagepol). */
export const RESOURCES: readonly CustomResource[] = [
  {
    kind: 'ImagePolicy',
    plural: 'imagepolicies',
    shortNames: ['twp'],
    scope: 'Namespaced',
    description:
      'Says which images the workloads of its namespace may run, and which exact one they get.',
    spec: ImagePolicySpec,
    columns,
  },
  {
    kind: 'ClusterImagePolicy',
    plural: 'clusterimagepolicies',
    shortNames: ['ctwp'],
    scope: 'Cluster',
    description:
      'Says which images the workloads of all namespaces, or of some, may run. A namespaced ImagePolicy cannot weaken it.',
    spec: ClusterImagePolicySpec,
    columns,
  },
]
