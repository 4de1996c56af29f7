import { type KubernetesObject, keyText, type ResourceName } from '../cluster/index.ts'
import type { TagwardenError } from '../errors.ts'
import type {
  CompiledException,
  CompiledPolicy,
  ImagePolicyExceptionStatus,
  ImagePolicyStatus,
  PolicyResource,
} from '../policies/index.ts'
import { type LastGood, lastGoodOf } from './last_good.ts'

/** An ImagePolicy, ClusterImagePolicy or ImagePolicyException of the cluster, and what came of it. */
export interface PolicyObject {
  readonly resource: ResourceName
  readonly namespace: string | undefined
  readonly name: string
  readonly uid: string | undefined
  readonly generation: number | undefined
  /** for people: `ImagePolicy shop/web` */
  readonly title: string
  /** what is in force of a policy; undefined: nothing */
  readonly policy: CompiledPolicy | undefined
  /** what counts of an exception, until it expires; undefined: nothing */
  readonly exception: CompiledException | undefined
  /** the generation that counts: an older one while the newest version of a policy is wrong */
  readonly inForce: number | undefined
  /** while the newest version of a policy is wrong: the one before, for the status */
  readonly lastGood: () => LastGood | undefined
  /** what is wrong with it, each with the field */
  readonly problems: readonly TagwardenError[]
  /** it was deleted */
  readonly gone: boolean
  /** which workloads it is narrowed to; '' when to none. Equal ones have equal texts. */
  readonly scope: () => string
  /** its status as JSON, as the API server has it; '' when there is none */
  readonly statusText: string
  /** the same, read */
  readonly status: () => (ImagePolicyStatus & ImagePolicyExceptionStatus) | undefined
}

/** What objects become when they are read; Flux's pairs are joined. */
export type OwnResource = Extract<PolicyResource, { readonly type: 'policy' | 'exception' }>

/** The same while it is followed. */
export interface PolicyEntry extends PolicyObject {
  generation: number | undefined
  policy: CompiledPolicy | undefined
  exception: CompiledException | undefined
  inForce: number | undefined
  /** what is wrong with its newest version */
  faults: readonly TagwardenError[]
  /** another one of the same name counts */
  clash: TagwardenError | undefined
  gone: boolean
  /** what is compiled: the last version without a fault */
  good: OwnResource | undefined
  statusText: string
}

/** Objects of the cluster as far as policies are made of them. */
export type SpecObject = KubernetesObject & { readonly spec?: unknown; readonly status?: unknown }

const NO_FAULTS: readonly TagwardenError[] = Object.freeze([])

interface Scope {
  readonly match?: unknown
  readonly namespaceSelector?: unknown
}

/** The entry of an object that was not known before. */
export function newEntry(resource: ResourceName, { metadata }: SpecObject): PolicyEntry {
  return new Entry(resource, metadata)
}

/** A class, as there may be many thousands of them. */
class Entry implements PolicyEntry {
  readonly resource: ResourceName
  readonly namespace: string | undefined
  readonly name: string
  readonly uid: string | undefined
  readonly title: string
  generation: number | undefined = undefined
  policy: CompiledPolicy | undefined = undefined
  exception: CompiledException | undefined = undefined
  inForce: number | undefined = undefined
  faults: readonly TagwardenError[] = NO_FAULTS
  clash: TagwardenError | undefined = undefined
  gone = false
  good: OwnResource | undefined = undefined
  statusText = ''

  constructor(resource: ResourceName, { namespace, name, uid }: SpecObject['metadata']) {
    this.resource = resource
    this.namespace = namespace
    this.name = name
    this.uid = uid
    this.title = `${resource.kind} ${keyText({ namespace, name })}`
  }

  get problems(): readonly TagwardenError[] {
    return this.clash === undefined ? this.faults : [...this.faults, this.clash]
  }

  lastGood(): LastGood | undefined {
    if (this.faults.length === 0) return undefined
    // what this version of Tagwarden cannot read, another may: it is not thrown away
    if (this.good?.type !== 'policy' || this.inForce === undefined) return this.status()?.inForce
    return lastGoodOf(this.inForce, this.good.draft.spec)
  }

  scope(): string {
    const { match, namespaceSelector } = (this.good?.draft.spec ?? {}) as Scope
    return match || namespaceSelector ? JSON.stringify([match, namespaceSelector]) : ''
  }

  status(): ReturnType<PolicyObject['status']> {
    return this.statusText === '' ? undefined : JSON.parse(this.statusText)
  }
}

export function statusTextOf({ status }: SpecObject): string {
  return status === undefined || status === null ? '' : JSON.stringify(status)
}
