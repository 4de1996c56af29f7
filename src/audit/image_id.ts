import { isDigest } from '../images/index.ts'

/** What a node says that a container runs. */
export interface RunningImage {
  readonly digest: string
  /**
   * Whether it is the digest of a manifest, as a registry knows it. If not, it is the id of an image
   * on its node, which differs with the platform and cannot be compared with anything elsewhere.
   */
  readonly isManifest: boolean
}

/** No runtime writes anything as long. */
const LONGEST = 1024
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//

/**
 * Reads `imageID` of a container's status: `docker-pullable://repo@sha256:…`, `repo@sha256:…`, or
 * a bare `sha256:…`.
 *
 * @returns undefined for what names no digest, whatever it is
 * @see https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#containerstatus-v1-core
 */
export function parseImageId(text: unknown): RunningImage | undefined {
  if (typeof text !== 'string' || text === '' || text.length > LONGEST) return undefined
  const plain = text.replace(SCHEME, '')
  const at = plain.lastIndexOf('@')
  const digest = plain.slice(at + 1)
  return isDigest(digest) ? { digest, isManifest: at > 0 } : undefined
}
