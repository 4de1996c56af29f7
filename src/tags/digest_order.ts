import { isDigest, isTag } from '../images/index.ts'
import type { Key, Order } from './order.ts'
import { ruleError } from './rule_error.ts'
import type { TagReason } from './types.ts'
import { compareVersions, parseVersion, type Version } from './version.ts'

interface DigestKey extends Key {
  readonly reason: TagReason | undefined
  /** undefined: the tag is no version, and ranks below those that are */
  readonly version: Version | undefined
}

/**
 * The tags whose digest is in the list, in the order of the list; those of one digest by version.
 *
 * @throws TagwardenError ERR_INVALID_POLICY
 */
export function allowedDigestOrder(allowed: readonly string[]): Order<DigestKey> {
  if (allowed.length === 0) {
    throw ruleError('order.digest.allowed', 'the list is empty, so it permits nothing', REMEDY)
  }
  const places = new Map<string, number>()
  for (const [i, digest] of allowed.entries()) {
    if (!isDigest(digest)) {
      const field = `order.digest.allowed[${i}]`
      throw ruleError(field, `${JSON.stringify(digest)} is not a digest`, REMEDY)
    }
    places.set(digest, places.get(digest) ?? i)
  }
  const title = allowed.length === 1 ? `digest ${allowed[0]}` : `${allowed.length} digests`
  return {
    ...digestOrder(allowed.length === 1 ? title : `one of ${title}`),
    needsDigests: true,
    read: ({ tag, version }, digestOf) => {
      const digest = digestOf?.(tag)
      const place = digest === undefined ? undefined : places.get(digest)
      const unknown = digest === undefined ? 'DigestUnknown' : 'DigestNotAllowed'
      return {
        score: -(place ?? allowed.length),
        reason: place === undefined ? unknown : undefined,
        version: parseVersion(version),
      }
    },
  }
}

const REMEDY =
  'List digests such as sha256:… with 64 hex digits; crane digest IMAGE prints the one of an image'

/**
 * The one tag that is followed.
 *
 * @throws TagwardenError ERR_INVALID_POLICY
 */
export function followedTagOrder(followed: string): Order<DigestKey> {
  if (!isTag(followed)) {
    throw ruleError(
      'order.digest.follow',
      `${JSON.stringify(followed)} is not a tag`,
      'Name the tag to follow, such as stable',
    )
  }
  return {
    ...digestOrder(`digest behind tag ${followed}`),
    read: ({ tag, version }) => ({
      score: tag === followed ? 1 : 0,
      reason: tag === followed ? undefined : 'NotFollowed',
      version: parseVersion(version),
    }),
  }
}

function digestOrder(description: string): Omit<Order<DigestKey>, 'read'> {
  return {
    description,
    needsDigests: false,
    refuse: ({ reason }) => reason,
    compare: (a, b) =>
      a.version && b.version
        ? compareVersions(a.version, b.version)
        : Number(a.version !== undefined) - Number(b.version !== undefined),
  }
}
