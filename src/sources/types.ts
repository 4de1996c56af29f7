import type { ClusterEvent } from '../cluster/index.ts'
import type { TagwardenError } from '../errors.ts'
import type { CompiledPolicy, PolicySet } from '../policies/index.ts'
import type { NamespaceFacts } from './namespaces.ts'
import type { PolicyObject } from './policy_object.ts'

/** The policies in force, from wherever they come. */
export interface PolicySource {
  readonly current: () => PolicySet
  /** what is wrong now */
  readonly problems: () => readonly TagwardenError[]
  /** everything that was there in the beginning is in force */
  readonly isSynced: () => boolean
  readonly synced: Promise<void>
  /** what is still waited for, for people; undefined once synced */
  readonly missing: () => string | undefined
  /** the policy objects of the cluster, right or wrong; Flux's are not among them */
  readonly objects: () => Iterable<PolicyObject>
  /** the object that a policy was made of; undefined for one from a file */
  readonly objectOf: (policy: CompiledPolicy) => PolicyObject | undefined
  /** the same, for an event */
  readonly subjectOf: (policy: CompiledPolicy) => ClusterEvent['about'] | undefined
  /** labels of a namespace; a promise while it is too new to be known */
  readonly namespaceLabels: (
    namespace: string,
  ) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>
  /** undefined: it is not there, or too new to be known */
  readonly namespace: (name: string) => NamespaceFacts | undefined
  /** Calls with the objects that changed, or whose status did, or that went away. */
  readonly subscribe: (listener: (changed: ReadonlySet<PolicyObject>) => void) => () => void
  /** Stops following; resolves when nothing runs any more. */
  close(): Promise<void>
}
