import type { ImageReference } from '../images/types.ts'
import type { CompiledPolicy, Enforcement } from '../policies/types.ts'
import type { FactFailure, FactNeed } from './ports.ts'

/** Why an image is not permitted, or what is to be said of it. A closed list. */
export type ReasonCode =
  | 'InvalidReference'
  | 'LatestTag'
  | 'Unmatched'
  | 'NotMatched'
  | 'Ignored'
  | 'Artifact'
  | 'NotAVersion'
  | 'NotANumber'
  | 'OutOfRange'
  | 'Prerelease'
  | 'TooYoung'
  | 'PlatformMissing'
  | 'TagNotFound'
  | 'NoPermittedTag'
  | 'NotFollowed'
  | 'DigestNotAllowed'
  | 'DigestUnknown'
  | 'DigestMismatch'
  | 'TagMoved'
  | 'OtherPolicy'
  | 'PolicyConflict'
  | 'RegistryUnavailable'
  | 'Timeout'

/** One thing that is wrong with an image, or worth saying. */
export interface Finding {
  readonly reason: ReasonCode
  readonly enforcement: Enforcement
  /** undefined: the configured defaults */
  readonly policy: CompiledPolicy | undefined
  /** one sentence or two for people, without the image and the code: what is permitted, the newest, what to write */
  readonly message: string
  /** the image string to write instead, when there is one */
  readonly use: string | undefined
  readonly cause: FactFailure | undefined
}

/** The answer for one image. Plain data. */
export interface Decision {
  readonly image: ImageReference | undefined
  /** every policy that applied, the mover first */
  readonly policies: readonly CompiledPolicy[]
  /** denials, warnings and audit notes; empty when all is well */
  readonly findings: readonly Finding[]
  /** what the image becomes; undefined: it stays as it is */
  readonly change:
    | {
        readonly to: string
        readonly tag: string | undefined
        readonly digest: string | undefined
        readonly version: string
        readonly build: string | undefined
        readonly policy: CompiledPolicy
      }
    | undefined
  /** facts that are missing; when there are any, the rest is what holds without them */
  readonly needs: readonly FactNeed[]
}
