import type { ReviewOptions } from '../admission/index.ts'
import type { Cluster, ClusterEvent, EventRecorder, ResourceName } from '../cluster/index.ts'
import type { RepositorySnapshot } from '../decisions/index.ts'
import type { CompiledPolicy } from '../policies/index.ts'
import type { Timer } from '../scheduling/index.ts'

/** The part of a logger (such as pino) that is used. */
export interface PromotionLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Told of what happens, with the title of the policy. */
export interface PromotionMetrics {
  /** a workload was moved */
  promoted(policy: string): void
  /** a workload could not be moved */
  failed(policy: string): void
  /** the other workloads of a policy stay, as one that was moved first is not available */
  stopped(policy: string): void
}

export interface PromoterOptions {
  readonly cluster: Cluster
  /** what the webhooks decide by */
  readonly review: ReviewOptions
  /** Calls when other policies are in force. Returns how to end that. */
  readonly onPolicies: (listener: () => void) => () => void
  /**
   * Calls with the key of a repository in the index when it was read: its name, and an access
   * after a space where there is one. Returns how to end that.
   */
  readonly onScanned: (listener: (key: string) => void) => () => void
  /** the index by such a key */
  readonly snapshot: (key: string) => RepositorySnapshot | undefined
  /** the object that a policy was made of; undefined for one from a file */
  readonly subjectOf: (policy: CompiledPolicy) => ClusterEvent['about'] | undefined
  readonly events: EventRecorder
  /** of the custom kinds that have configured image fields, as they are served now; rejects never */
  readonly customKinds?: () => Promise<readonly ResourceName[]>
  /** where nothing is moved: what the webhooks are not asked about */
  readonly excludedNamespaces?: ReadonlySet<string>
  /** how long a workload that was moved first may take until it is available, in ms; 30 minutes */
  readonly availableWithin?: number
  readonly log?: PromotionLog | undefined
  readonly metrics?: PromotionMetrics | undefined
  readonly clock?: () => number
  readonly timer?: Timer
  readonly random?: () => number
}

/** Moves running workloads to newer permitted versions, for policies that ask for it. */
export interface Promoter {
  /**
   * Promotes until the signal aborts, as the leader does. Resolves when nothing runs any more;
   * a write that has begun by then is waited for. Never rejects.
   */
  lead(signal: AbortSignal): Promise<void>
}
