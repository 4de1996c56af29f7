import type { ImageReference } from '../images/types.ts'
import type {
  CompiledException,
  CompiledPolicy,
  Enforcement,
  NamedObject,
} from '../policies/types.ts'
import type { FactFailure, FactNeed } from './ports.ts'

/** Why an image is not permitted, or what is to be said of it. A closed list. */
export const REASON_CODES = [
  'InvalidReference',
  'LatestTag',
  'Unmatched',
  'NotMatched',
  'Ignored',
  'Artifact',
  'NotAVersion',
  'NotANumber',
  'OutOfRange',
  'Prerelease',
  'TooYoung',
  'PlatformMissing',
  'TagNotFound',
  'NoPermittedTag',
  'NotFollowed',
  'DigestNotAllowed',
  'DigestUnknown',
  'DigestMismatch',
  'TagMoved',
  'Downgrade',
  'OtherPolicy',
  'PolicyConflict',
  'RegistryUnavailable',
  'Timeout',
] as const

export type ReasonCode = (typeof REASON_CODES)[number]

/** What images get that no policy covers, and how the defaults are enforced. */
export interface Defaults {
  readonly latest: 'Deny' | 'Allow'
  readonly unmatched: 'Allow' | 'Warn' | 'Deny'
  readonly enforcement: Enforcement
  /** how far a violation counts on an object whose owner was reviewed: pods of a ReplicaSet, … */
  readonly ownedObjects: 'Enforce' | 'Warn'
}

/**
 * How the answer will be used.
 * - `resolve`: the image may be changed (mutating webhook, explain, review)
 * - `check`: the object is final, and what could be resolved has been (validating webhook)
 * - `judge`: the object must never be changed (owned by a controller)
 */
export type Mode = 'resolve' | 'check' | 'judge'

/** What the object said before this update, about the same container. */
export interface Previous {
  /** the image that it ran */
  readonly image: ImageReference
  /** what Tagwarden had recorded for it; only if its `resolved` is that image */
  readonly record:
    | {
        readonly requested: string
        readonly rolledBackFrom: string | undefined
        /** the tag that was chosen, where the image is a digest alone; anybody may have written it */
        readonly tag?: string | undefined
      }
    | undefined
}

/** One image to decide on, with all that the object says about it. */
export interface Question {
  readonly image: ImageReference
  /** as PolicySet.match gave them */
  readonly policies: readonly CompiledPolicy[]
  /** as PolicySet.exceptions gave them; whether one has expired is told by the facts' clock */
  readonly exceptions: readonly CompiledException[]
  readonly defaults: Defaults
  readonly mode: Mode
  /** the update leaves this image as it was */
  readonly unchanged: boolean
  /** undefined on CREATE and for a new container */
  readonly previous: Previous | undefined
  /** `tagwarden.io/hold: "true"` */
  readonly hold: boolean
  /** there is a promoter that moves such workloads: it minds windows, pace and canaries */
  readonly promoted: boolean
  /** the object says that Tagwarden resolved to this very image: rollback, export, reinvocation */
  readonly restored: boolean
  /**
   * A tag that the object says its digest was resolved from. Anybody may have written that: it only
   * says which tag the registry may be asked for
   */
  readonly hint: string | undefined
  /** a controller made the object from an owner that is reviewed itself: a pod of a ReplicaSet */
  readonly ownerReviewed: boolean
  /** that owner and, where its name tells, the owner's owner; empty where they are not known */
  readonly owners: readonly NamedObject[]
  /** the API server refuses another image here (a Job's template) */
  readonly immutable: boolean
}

/** One thing that is wrong with an image, or worth saying. */
export interface Finding {
  readonly reason: ReasonCode
  readonly enforcement: Enforcement
  /** undefined: the configured defaults */
  readonly policy: CompiledPolicy | undefined
  /** for people, without the image and the code: what is permitted, the newest, the cause */
  readonly message: string
  /** the image string to write instead, when there is one */
  readonly use: string | undefined
  readonly cause: FactFailure | undefined
  /** what made a warning of a denial */
  readonly exception?: CompiledException | undefined
}

/** What an image becomes. */
export interface Change {
  readonly to: string
  readonly tag: string | undefined
  readonly digest: string | undefined
  readonly version: string
  /** the `build` group of the policy's pattern */
  readonly build: string | undefined
  readonly policy: CompiledPolicy
  /** what an earlier review chose is kept */
  readonly kept: boolean
}

/** The answer for one image. Plain data. */
export interface Decision {
  readonly image: ImageReference | undefined
  /** every policy that applied, the most specific first */
  readonly policies: readonly CompiledPolicy[]
  /** the policy that may move the image */
  readonly mover: CompiledPolicy | undefined
  /** denials, warnings and audit notes; empty when all is well */
  readonly findings: readonly Finding[]
  /** undefined: it stays as it is */
  readonly change: Change | undefined
  /** the tag of a newer version that this image was rolled back from */
  readonly rolledBackFrom: string | undefined
  /** facts that the verdict depends on; while there are any, the rest is provisional */
  readonly needs: readonly FactNeed[]
  /** facts that would only make the words better */
  readonly wishes: readonly FactNeed[]
}
