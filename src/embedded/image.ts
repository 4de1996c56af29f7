import { gzipOf, tarOf } from './layer.ts'
import { addBlob, addManifest, digestOf, type StoredRepository } from './stored_repository.ts'

const INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'

/** What one image is made from; the same input always gives the same digest. */
export interface ImageRecipe {
  /** name for people, such as `acme/web v1.4.2`; ends up in the layer and the labels */
  readonly title: string
  /** `os/arch[/variant]`; one makes a plain manifest, several make an index */
  readonly platforms: readonly string[]
  /** RFC 3339 time of the build */
  readonly created?: string | undefined
}

/**
 * Stores a whole image: layer, config and manifest of each platform, and an index when there are
 * several. Returns the digest that a tag should point to.
 */
export function addImage(repository: StoredRepository, recipe: ImageRecipe): string {
  const manifests = recipe.platforms.map((platform) => addPlatform(repository, recipe, platform))
  const [only] = manifests
  if (only !== undefined && manifests.length === 1) return only.digest
  const descriptors = manifests.map((descriptor, index) => ({
    ...descriptor,
    platform: platformOf(recipe.platforms[index] ?? ''),
  }))
  return addManifest(repository, INDEX, {
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: descriptors,
  }).digest
}

/** Stores a cosign-style signature object for that digest, under the tag that cosign gives it. */
export function addSignature(repository: StoredRepository, digest: string): void {
  const payload = JSON.stringify({ critical: { image: { 'docker-manifest-digest': digest } } })
  const layer = addBlob(repository, Buffer.from(payload))
  const config = addBlob(repository, Buffer.from('{}'))
  const signature = addManifest(repository, MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: CONFIG, ...config },
    layers: [{ mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', ...layer }],
  })
  repository.tags.set(`${digest.replace(':', '-')}.sig`, signature.digest)
}

function addPlatform(repository: StoredRepository, recipe: ImageRecipe, platform: string) {
  const tar = tarOf('etc/image', `${recipe.title} ${platform}\n`)
  const layer = addBlob(repository, gzipOf(tar))
  const created = recipe.created ?? '2026-01-01T00:00:00Z'
  const config = addBlob(
    repository,
    Buffer.from(
      JSON.stringify({
        created,
        ...platformOf(platform),
        config: { Labels: { 'org.opencontainers.image.title': recipe.title } },
        rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
        history: [{ created, created_by: 'tagwarden embedded registry' }],
      }),
    ),
  )
  return addManifest(repository, MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: CONFIG, ...config },
    layers: [{ mediaType: LAYER, ...layer }],
  })
}

function platformOf(platform: string) {
  const [os, architecture, variant] = platform.split('/')
  return { os, architecture, ...(variant === undefined ? {} : { variant }) }
}
