import type { CustomResource } from './custom_resource.ts'
import { ClusterImagePolicySpec, ImagePolicySpec } from './image_policy.ts'
import { ImagePolicyExceptionSpec, ImagePolicyExceptionStatus } from './image_policy_exception.ts'
import { ImagePolicyStatus } from './image_policy_status.ts'
import { ImageRepositorySpec, ImageRepositoryStatus } from './image_repository.ts'

const readiness = [
  ['Ready', '.status.conditions[?(@.type=="Ready")].status'],
  ['Status', '.status.conditions[?(@.type=="Ready")].message', 'string', 1],
  ['Age', '.metadata.creationTimestamp', 'date'],
] as const

const policyColumns = [
  ['Images', '.spec.images'],
  ['Order', '.status.order'],
  ['Action', '.spec.action', 'string', 1],
  ['Enforcement', '.spec.enforcement', 'string', 1],
  ['Newest', '.status.newest'],
  ['Seen', '.status.lastScanTime', 'date'],
  ...readiness,
] as const

/** Every kind that has a CRD. Short names differ from Flux's (imgpol, imagepol, imgrepo). */
export const RESOURCES: readonly CustomResource[] = [
  {
    kind: 'ImagePolicy',
    plural: 'imagepolicies',
    shortNames: ['twp'],
    scope: 'Namespaced',
    description:
      'Says which images the workloads of its namespace may run, and which exact one they get.',
    spec: ImagePolicySpec,
    status: ImagePolicyStatus,
    columns: policyColumns,
  },
  {
    kind: 'ClusterImagePolicy',
    plural: 'clusterimagepolicies',
    shortNames: ['ctwp'],
    scope: 'Cluster',
    description:
      'Says which images the workloads of all namespaces, or of some, may run. A namespaced ImagePolicy cannot weaken it.',
    spec: ClusterImagePolicySpec,
    status: ImagePolicyStatus,
    columns: policyColumns,
  },
  {
    kind: 'ImageRepository',
    plural: 'imagerepositories',
    shortNames: ['twr'],
    scope: 'Namespaced',
    description:
      'A repository whose tags Tagwarden reads: made by a person, or by Tagwarden for a repository that a policy covers and a workload uses. Its status is the index.',
    spec: ImageRepositorySpec,
    status: ImageRepositoryStatus,
    columns: [
      ['Image', '.spec.image'],
      ['Tags', '.status.tagCount', 'integer'],
      ['Interval', '.spec.interval', 'string', 1],
      ['Suspended', '.spec.suspend', 'boolean', 1],
      ['Seen', '.status.lastScanTime', 'date'],
      ...readiness,
    ],
  },
  {
    kind: 'ImagePolicyException',
    plural: 'imagepolicyexceptions',
    shortNames: ['twx'],
    scope: 'Namespaced',
    description:
      'Lets some images of its namespace through although a policy refuses them, for a reason and until a day.',
    spec: ImagePolicyExceptionSpec,
    status: ImagePolicyExceptionStatus,
    columns: [
      ['Images', '.spec.images'],
      ['Reason', '.spec.reason'],
      ['Expires', '.spec.expires'],
      ['Expired', '.status.expired', 'boolean'],
      ...readiness,
    ],
  },
]
