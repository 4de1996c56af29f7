import { TagwardenError } from '../errors.ts'
import { platformOf } from '../images/index.ts'
import type { HttpAnswer } from './http_message.ts'
import { contentType, fieldsOf, jsonBody } from './json_body.ts'

const INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/

/** What is asked for: both kinds of index, both kinds of manifest. */
export const MANIFEST_ACCEPT = [INDEX, DOCKER_LIST, MANIFEST, DOCKER_MANIFEST].join(', ')

/** A manifest or index that was read. */
export interface Manifest {
  readonly mediaType: string
  /** platforms of an index; undefined for a single manifest */
  readonly platforms: readonly string[] | undefined
  /** digest of a single manifest's config */
  readonly config: string | undefined
}

/** Whether the text names a manifest or index that this client understands. */
export function isManifestType(mediaType: string): boolean {
  return [INDEX, MANIFEST, DOCKER_LIST, DOCKER_MANIFEST].includes(mediaType)
}

/**
 * Reads a manifest or index.
 *
 * Source: OCI image-spec, "Image Manifest" and "Image Index". A document that could be read as
 * both, or whose own media type is another than the one it came with, is refused: two readers
 * could see two images (CVE-2021-41190).
 *
 * @throws TagwardenError ERR_REGISTRY_RESPONSE
 */
export function parseManifest(answer: HttpAnswer, subject: string): Manifest {
  const header = contentType(answer)
  if (isSchema1(header)) throw schema1(subject)
  const content = jsonBody(answer, subject)
  if (content.schemaVersion === 1) throw schema1(subject)
  const own = typeof content.mediaType === 'string' ? content.mediaType : undefined
  const children = Array.isArray(content.manifests) ? content.manifests : undefined
  const single = 'config' in content || 'layers' in content
  if (content.schemaVersion !== 2 || (children === undefined) === !single) {
    throw unusable(subject, 'is neither a manifest nor an index')
  }
  if (own !== undefined && isManifestType(header) && own !== header) {
    throw unusable(subject, `says that it is ${quote(own)} and came as ${header}`)
  }
  const mediaType = [header, own ?? ''].find(isManifestType) ?? (children ? INDEX : MANIFEST)
  if ((mediaType === INDEX || mediaType === DOCKER_LIST) === single) {
    throw unusable(subject, `is not what its media type ${mediaType} says`)
  }
  if (children === undefined) {
    const { digest } = fieldsOf(content.config)
    return {
      mediaType,
      platforms: undefined,
      config: typeof digest === 'string' ? digest : undefined,
    }
  }
  const platforms = children.map((child) => platformOf(fieldsOf(fieldsOf(child).platform)))
  return {
    mediaType,
    platforms: [...new Set(platforms.flatMap((one) => one ?? []))],
    config: undefined,
  }
}

/** Whether the text names Docker's first format. */
export function isSchema1(mediaType: string): boolean {
  return SCHEMA_1.test(mediaType)
}

/** The failure that Docker's first format is. */
export function schema1(subject: string): TagwardenError {
  return new TagwardenError('ERR_REGISTRY_RESPONSE', `${subject} is a Docker schema 1 manifest`, {
    remedy: 'Push the image again with a client of this decade; schema 1 has no stable digest',
  })
}

function unusable(subject: string, problem: string): TagwardenError {
  return new TagwardenError('ERR_REGISTRY_RESPONSE', `${subject} ${problem}`)
}

function quote(mediaType: string): string {
  return /^[\w.+/-]{1,100}$/.test(mediaType) ? mediaType : 'something else'
}
