import { REASON_CODES, type ReasonCode } from '../decisions/types.ts'
import { DRIFT_CODES, DRIFT_HELP, type DriftCode } from './drift_codes.ts'

/** What there is to know of a reason code, in Markdown without links. */
export interface ReasonHelp {
  /** one line, without a full stop */
  readonly short: string
  /** what it means, as docs/reasons.md says it */
  readonly meaning: string
  /** what to do about it, as docs/reasons.md says it */
  readonly remedy: string
}

/** Every reason that a finding can have, in the order of the pages. */
export const FINDING_CODES: readonly (ReasonCode | DriftCode)[] = Object.freeze([
  ...REASON_CODES,
  ...DRIFT_CODES,
])

/** docs/reasons.md for those who read a report; a test holds the two together. */
export const REASON_HELP: Readonly<Record<ReasonCode | DriftCode, ReasonHelp>> = {
  ...DRIFT_HELP,
  InvalidReference: {
    short: 'The text is not an image reference',
    meaning:
      'The text is not an image reference. The container runtime could not pull it either; the bare id of an image (`sha256:…`), which it might find on the node under whatever name, is none.',
    remedy:
      'Write what the message says. A policy cannot permit it; `defaults.enforcement` decides how it counts.',
  },
  LatestTag: {
    short: 'The tag is latest, or there is none',
    meaning:
      'The image has no tag, which means `latest`, or the tag `latest`, and no digest. Nobody can say what that will be tomorrow.',
    remedy:
      'Write the tag that the message names. If the newest version is what you want, set `latest: Resolve` on the policy: it is written into the workload then. To follow a tag called `latest` on purpose, use `order: { digest: { follow: latest } }`; no other order ever chooses it, which `explain` shows by this reason. Without a policy, `defaults.latest` decides.',
  },
  Unmatched: {
    short: 'No policy covers the image',
    meaning: 'No policy covers the image, and `defaults.unmatched` is `Warn` or `Deny`.',
    remedy:
      'Add the repository to the `images` of a policy in this namespace. `tagwarden explain IMAGE` shows policies that cover it in other namespaces.',
  },
  NotMatched: {
    short: 'The tag does not match the pattern of the policy',
    meaning: 'The tag does not match `tags.pattern`, and no pattern of `tags.allow` either.',
    remedy:
      'Use a tag that matches. A pattern is unanchored and in Go syntax; try it with `tagwarden select`.',
  },
  Ignored: {
    short: 'The policy ignores the tag',
    meaning: 'The tag matches a pattern of `tags.ignore`, which wins over everything else.',
    remedy: 'Use another tag, or change the list.',
  },
  Artifact: {
    short: 'The tag holds a signature or attestation, not an image',
    meaning:
      'The tag holds a signature, an attestation or an SBOM that belongs to an image. It is no image.',
    remedy: 'Use the tag of the image.',
  },
  NotAVersion: {
    short: 'The tag is not a version of three numbers',
    meaning:
      'The policy has `order: semver`, and the tag is no version of three numbers, or does not begin with the `identifier`.',
    remedy:
      'Use a full version, such as `v1.4.2` instead of `v1.4`. Where the version is only a part of the tag, take it out with `tags.pattern` and `tags.extract`.',
  },
  NotANumber: {
    short: 'The tag is not a decimal number',
    meaning: 'The policy has `order: numerical`, and what is compared is no decimal number.',
    remedy:
      'Use a tag that is a number, or take the number out with `tags.pattern` and `tags.extract`.',
  },
  OutOfRange: {
    short: 'The version is outside the range of the policy',
    meaning: 'A version, but outside the range of the policy.',
    remedy: 'Use a version in the range; the message names the newest.',
  },
  Prerelease: {
    short: 'The version is a prerelease, which the policy does not permit',
    meaning: 'A prerelease within the bounds of the range, and the range names none.',
    remedy:
      'Use a release. To permit prereleases, name one in the range, such as `>=1.2.3-0`, or match the tag in `tags.allow`.',
  },
  TooYoung: {
    short: 'The tag is younger than the policy permits',
    meaning:
      "The tag, or what was pushed to it again, has been known for less than the policy's `minimumAge`.",
    remedy:
      'Wait as long as the message says, or use the tag that it names. In an index that was begun anew, everything is young: see minimum age.',
  },
  PlatformMissing: {
    short: 'The image lacks a platform that the policy asks for',
    meaning: 'The image lacks a platform that the policy asks for.',
    remedy:
      'Push the image for that platform, or use the tag that the message names. `tagwarden explain IMAGE` shows the platforms of the chosen tag.',
  },
  TagNotFound: {
    short: 'The registry has no such tag',
    meaning: 'The registry was asked just now and has no such tag, or no such repository.',
    remedy:
      'Check the spelling. Some registries answer so when credentials are missing: see registries.',
  },
  NoPermittedTag: {
    short: 'No tag of the repository is permitted',
    meaning:
      'No tag of the repository is permitted, old enough, on every platform, and permitted by the other policies.',
    remedy: 'Run `tagwarden explain IMAGE`: it shows at which step the last tags are lost.',
  },
  NotFollowed: {
    short: 'The tag is not the one that the policy follows',
    meaning: 'The policy follows one tag by its digest, and this is another one.',
    remedy: 'Use the tag that the policy names.',
  },
  DigestNotAllowed: {
    short: 'The digest is not in the list of the policy',
    meaning: "The policy has a list of digests, and the image's digest is not in it.",
    remedy: 'Use an image from the list, or add the digest.',
  },
  DigestUnknown: {
    short: 'No permitted tag is known to have the digest',
    meaning:
      'The image is written by its digest alone, and no permitted tag is known to have or have had it. Or the tag in front of it is gone from the registry, and never had this digest while the index looked.',
    remedy:
      'Write the tag before the digest, `web:v1.4.2@sha256:…`: then the registry can be asked. The index learns digests when they are used, so one that was never asked for is not known.',
  },
  DigestMismatch: {
    short: 'The tag never had the digest that stands behind it',
    meaning:
      'The image is written as `tag@digest`, and the tag neither has nor had that digest, as far as the index knows.',
    remedy:
      'Take the digest that the registry gives for the tag. If you copied both from the same place, somebody has pushed the tag again before Tagwarden first saw it. If you did not: be careful, somebody may want you to run another image under a good name.',
  },
  TagMoved: {
    short: 'The tag points to another digest than when it was first seen',
    meaning:
      'The tag pointed to another digest when it was first seen. Whoever pushed it again may have had a reason, or no right to.',
    remedy:
      'Find out who pushed it. Then go to the next version, or set `movedTags: Allow` for a tag that is meant to move. With the default `Warn` it is only a warning.',
  },
  Downgrade: {
    short: 'An older version was asked for than the one that runs',
    meaning:
      '`Track` would have moved the workload to an older version than it runs, most often because the newer tag was deleted. What runs is kept. Always a warning, never a denial.',
    remedy:
      'Nothing, if the newer version is fine. To go back, apply the older `tag@digest`, or set `allowDowngrade: true`.',
  },
  OtherPolicy: {
    short: 'Another policy on the image does not permit the tag',
    meaning:
      'Seen in `explain` only: the policy permits this tag, and another policy on the same image does not.',
    remedy: 'Look at the other policy that `explain` shows.',
  },
  PolicyConflict: {
    short: 'Two policies that are equally specific disagree',
    meaning:
      'Two policies that are equally specific would write different images. Or more than 50 policies of the namespace are for one image, or the images of the object and the policies for them make more than 50,000 judgements: then nothing is judged, so that nobody can hold up the reviews of others.',
    remedy:
      'Make the pattern of one of them longer, make one a `Verify` policy, or give both the same action, reference and rule. Of more than 50, delete or merge some.',
  },
  RegistryUnavailable: {
    short: 'The registry did not give what the policy needs',
    meaning:
      'Something is not in the index and the registry did not give it, or the policy says `whenRegistryFails: Deny` and the last scan failed. As a warning: the decision stands on an index that could not be renewed, and the message says how old it is.',
    remedy:
      'The message holds what the registry answered. Where it refuses the credentials, name a pull secret that it takes, and see that Tagwarden may read it; else try again when it works. For what to do about each cause see error codes. `whenRegistryFails` decides what counts meanwhile.',
  },
  Timeout: {
    short: 'The registry did not answer in time',
    meaning:
      'The registry did not answer within the time that the API server gives for a review. Or a repository has so many tags, and its policies take so long for each, that the newest could not be found in that time; the work goes on when it is asked for again.',
    remedy:
      'Try again: the answer to the first attempt may be in the index by then. If it stays, look at the registry; `whenRegistryFails` decides meanwhile.',
  },
}
