import { createHash } from 'node:crypto'

/** A manifest or index, exactly as it is served. */
export interface StoredManifest {
  readonly mediaType: string
  readonly digest: string
  readonly bytes: Buffer
}

/** One repository in memory: what an OCI registry keeps of it. */
export interface StoredRepository {
  /** tag -> digest */
  readonly tags: Map<string, string>
  /** digest -> manifest */
  readonly manifests: Map<string, StoredManifest>
  /** digest -> content */
  readonly blobs: Map<string, Buffer>
}

/** `sha256:<hex>` of the bytes. */
export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** An empty repository. */
export function createStoredRepository(): StoredRepository {
  return { tags: new Map(), manifests: new Map(), blobs: new Map() }
}

/** Stores a blob. Returns its descriptor without a media type. */
export function addBlob(
  repository: StoredRepository,
  bytes: Buffer,
): { digest: string; size: number } {
  const digest = digestOf(bytes)
  repository.blobs.set(digest, bytes)
  return { digest, size: bytes.length }
}

/** Stores a manifest or index of that media type. Returns its descriptor. */
export function addManifest(
  repository: StoredRepository,
  mediaType: string,
  content: object,
): { mediaType: string; digest: string; size: number } {
  const bytes = Buffer.from(JSON.stringify(content))
  const digest = digestOf(bytes)
  repository.manifests.set(digest, { mediaType, digest, bytes })
  return { mediaType, digest, size: bytes.length }
}
