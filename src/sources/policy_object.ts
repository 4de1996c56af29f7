import type { KubernetesObject, ResourceName } from '../cluster/index.ts'
import type { TagwardenError } from '../errors.ts'
import type { CompiledPolicy, ImagePolicyStatus, PolicyDraft } from '../policies/index.ts'
import { keyText } from './served_watch.ts'

/** One policy object of the cluster, and what came of it. */
export interface PolicyObject {
  readonly resource: ResourceName
  readonly namespace: string | undefined
  readonly name: string
  readonly uid: string | undefined
  readonly generation: number | undefined
  /** for people: `ImagePolicy shop/web` */
  readonly title: string
  /** what is in force of it; undefined: nothing */
  readonly policy: CompiledPolicy | undefined
  /** the generation that `policy` was made of: an older one while the newest is wrong */
  readonly inForce: number | undefined
  /** what is wrong with it, each with the field */
  readonly problems: readonly TagwardenError[]
  /** it was deleted */
  readonly gone: boolean
  /** Its status as the API server has it. */
  readonly status: () => ImagePolicyStatus | undefined
}

/** The same while it is followed. */
export interface PolicyEntry extends PolicyObject {
  generation: number | undefined
  policy: CompiledPolicy | undefined
  inForce: number | undefined
  /** what is wrong with its newest version */
  faults: readonly TagwardenError[]
  /** another one of the same name counts */
  clash: TagwardenError | undefined
  gone: boolean
  /** what `policy` is compiled of: the last version without a fault */
  good: PolicyDraft | undefined
  /** compact, since there may be ten thousand; '' when there is none */
  statusText: string
}

/** Objects of the cluster as far as policies are made of them. */
export type SpecObject = KubernetesObject & { readonly spec?: unknown; readonly status?: unknown }

/** The entry of an object that was not known before. */
export function newEntry(resource: ResourceName, { metadata }: SpecObject): PolicyEntry {
  const { namespace, name, uid } = metadata
  return {
    resource,
    namespace,
    name,
    uid,
    generation: undefined,
    title: `${resource.kind} ${keyText({ namespace, name })}`,
    policy: undefined,
    inForce: undefined,
    faults: [],
    clash: undefined,
    get problems() {
      return this.clash === undefined ? this.faults : [...this.faults, this.clash]
    },
    gone: false,
    good: undefined,
    statusText: '',
    status() {
      return this.statusText === '' ? undefined : JSON.parse(this.statusText)
    },
  }
}

export function statusTextOf({ status }: SpecObject): string {
  return status === undefined || status === null ? '' : JSON.stringify(status)
}
