import type { Position } from '../errors.ts'
import type { GroupKind, ImageReference } from '../images/types.ts'
import type { TagSelector } from '../tags/types.ts'
import type { CronSchedule } from './cron.ts'
import type * as policy from './schema/image_policy.ts'
import type * as exception from './schema/image_policy_exception.ts'
import type * as policyStatus from './schema/image_policy_status.ts'
import type * as repository from './schema/image_repository.ts'
import type * as selector from './schema/label_selector.ts'
import type * as condition from './schema/status.ts'

type Deep<T> = T extends readonly (infer Item)[]
  ? readonly Deep<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Deep<T[Key]> }
    : T

/** The spec of an ImagePolicy as the API server stores it: with its defaults. */
export type ImagePolicySpec = Deep<policy.ImagePolicySpec>
export type ClusterImagePolicySpec = Deep<policy.ClusterImagePolicySpec>
/** The status of an ImagePolicy and of a ClusterImagePolicy. */
export type ImagePolicyStatus = Deep<policyStatus.ImagePolicyStatus>
export type ImageRepositorySpec = Deep<repository.ImageRepositorySpec>
export type ImageRepositoryStatus = Deep<repository.ImageRepositoryStatus>
export type ImagePolicyExceptionSpec = Deep<exception.ImagePolicyExceptionSpec>
export type ImagePolicyExceptionStatus = Deep<exception.ImagePolicyExceptionStatus>
export type LabelSelector = Deep<selector.LabelSelector>
/** https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#condition-v1-meta */
export type Condition = Deep<condition.Condition>

export type Action = 'Verify' | 'Pin' | 'Track'
export type ReferenceForm = 'TagAndDigest' | 'Tag' | 'Digest'
export type Enforcement = 'Enforce' | 'Warn' | 'Audit'

/** A policy made ready: defaults filled in, patterns compiled. Immutable. */
export interface CompiledPolicy {
  readonly kind: 'ImagePolicy' | 'ClusterImagePolicy'
  /** undefined for a ClusterImagePolicy */
  readonly namespace: string | undefined
  readonly name: string
  /** for people: `ImagePolicy shop/web` */
  readonly title: string
  /** where it was read, when from a file */
  readonly position: Position | undefined
  /** the globs, normalised: `nginx` is `docker.io/library/nginx`, `acme/*` is `docker.io/acme/*` */
  readonly images: readonly string[]
  readonly selector: TagSelector
  readonly action: Action
  readonly reference: ReferenceForm
  readonly latest: 'Deny' | 'Resolve'
  readonly enforcement: Enforcement
  readonly whenRegistryFails: 'UseCached' | 'Deny' | 'Allow'
  readonly movedTags: 'Deny' | 'Warn' | 'Allow'
  /** ms */
  readonly minimumAge: number
  readonly allowDowngrade: boolean
  /** `os/arch[/variant]` */
  readonly platforms: readonly string[]
  /** when Track moves a workload */
  readonly promote: 'OnApply' | 'Continuously'
  readonly promotion: Promotion
  /** what the API server does with workloads of its namespaces while nobody answers */
  readonly onUnavailable: 'Deny' | 'Allow'
  /** whether an ImagePolicyException of a namespace may lift it there; Allow for an ImagePolicy */
  readonly exceptions: 'Deny' | 'Allow'
  /** of `match`, as they are written; empty: of every kind */
  readonly kinds: readonly string[]
  /** the namespaces that a ClusterImagePolicy is for; undefined: all, or its own one */
  readonly namespaceSelector: LabelSelector | undefined
  /** whether the globs cover this repository name, such as `ghcr.io/acme/web` */
  covers(name: string): boolean
  /**
   * Whether whatever these objects run has been judged by this policy when they were admitted: it
   * is not narrowed by labels, which an owner need not share with what it makes, and is for their
   * kinds.
   */
  judged(owners: readonly NamedObject[]): boolean
  /** length of the longest literal part of the glob that covers this name; 0 if none does */
  specificity(name: string): number
}

/** When and how fast running workloads are moved. */
export interface Promotion {
  /** empty: at any time */
  readonly windows: readonly PromotionWindow[]
  /** workloads in a minute; 0: no limit */
  readonly maxPerMinute: number
  /** workloads that are moved first, and must be available before the others follow */
  readonly canary: number
}

/** Opens whenever its schedule fires in its time zone, and stays open for its duration. */
export interface PromotionWindow {
  /** as it was written */
  readonly schedule: string
  readonly cron: CronSchedule
  /** a name that Intl.DateTimeFormat knows */
  readonly timeZone: string
  /** ms */
  readonly duration: number
}

/** An ImageRepository made ready. Immutable. */
export interface CompiledRepository {
  readonly namespace: string
  readonly name: string
  /** for people: `ImageRepository shop/web` */
  readonly title: string
  readonly position: Position | undefined
  /** normalised, such as `docker.io/library/nginx` */
  readonly image: string
  /** ms */
  readonly interval: number
  /** ms; undefined: as the configuration says */
  readonly timeout: number | undefined
  readonly provider: 'generic'
  /** Secrets of its namespace */
  readonly secretRef: { readonly name: string } | undefined
  readonly certSecretRef: { readonly name: string } | undefined
  readonly proxySecretRef: { readonly name: string } | undefined
  readonly insecure: boolean
  readonly suspend: boolean
  readonly exclusionList: readonly string[]
  /** whether a pattern of its exclusionList matches a tag */
  excludes(tag: string): boolean
}

/** An ImagePolicyException made ready. Immutable. */
export interface CompiledException {
  readonly namespace: string
  readonly name: string
  /** for people: `ImagePolicyException shop/web` */
  readonly title: string
  readonly position: Position | undefined
  /** the globs, normalised, such as `docker.io/acme/*:v0.9.*` */
  readonly images: readonly string[]
  /** names and titles of the policies that it lifts; empty: of all */
  readonly policies: readonly string[]
  /** on one line */
  readonly reason: string
  /** ms since the epoch: from then on it does not count */
  readonly expires: number
  /** of `match`, as they are written; empty: of every kind */
  readonly kinds: readonly string[]
  /** whether it is for some workloads of its namespace only */
  readonly narrowed: boolean
  /** whether it is for this image: for all of its repository, or for its tag; undefined: no */
  covers(image: ImageReference): 'repository' | 'tag' | undefined
  /** whether it lifts this policy, which must permit it by its `exceptions` */
  lifts(policy: CompiledPolicy): boolean
}

/** An object of the cluster, or one that it was made from. */
export interface NamedObject extends GroupKind {
  readonly name: string
}

/** Where an image stands, for matching. */
export interface Workload {
  /** undefined for a cluster-scoped object */
  readonly namespace: string | undefined
  readonly groupKind: GroupKind
  /** undefined where it is not known; of an object that gets its name later, the beginning */
  readonly name: string | undefined
  /**
   * what the object was made from, as far as that is certain: for a pod of a Deployment its
   * ReplicaSet and the Deployment
   */
  readonly owners: readonly NamedObject[]
  /** labels of the workload object itself */
  readonly labels: Readonly<Record<string, string>>
  /** labels of its namespace, as far as they are known; UNKNOWN_LABELS where they can't be had */
  readonly namespaceLabels: Readonly<Record<string, string>>
}

/** All policies in force at one moment. Immutable: a change makes a new one. */
export interface PolicySet {
  readonly policies: readonly CompiledPolicy[]
  readonly repositories: readonly CompiledRepository[]
  /** those that have expired too */
  readonly allExceptions: readonly CompiledException[]
  /** changes whenever any policy, repository or exception does; short hex */
  readonly revision: string
  /**
   * The policies that apply to one image of one workload, the most specific first (namespaced
   * before cluster; then the longest literal pattern; then the name). Costs about the same for
   * one policy and for ten thousand.
   */
  match(
    image: ImageReference,
    workload: Workload,
    container: string | undefined,
  ): readonly CompiledPolicy[]
  /**
   * The exceptions for one image of one workload, those that last longest first; those that have
   * expired too, as a set does not know what time it is.
   */
  exceptions(
    image: ImageReference,
    workload: Workload,
    container: string | undefined,
  ): readonly CompiledException[]
  /** The policies of all namespaces whose globs cover a repository, whatever workload runs it. */
  covering(name: string): readonly CompiledPolicy[]
}
