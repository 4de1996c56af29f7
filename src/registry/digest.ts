import { createHash } from 'node:crypto'

/** `algorithm:hex` */
export type Digest = `${'sha256' | 'sha512'}:${string}`

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

/** Whether the text is a digest of an algorithm that the OCI image-spec registers. */
export function isDigest(text: string | undefined): text is Digest {
  return text !== undefined && DIGEST.test(text)
}

/** Digest of the bytes, made with the algorithm of `like`; sha256 when there is none. */
export function digestLike(like: Digest | undefined, bytes: Uint8Array): Digest {
  const algorithm = like?.startsWith('sha512:') ? 'sha512' : 'sha256'
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}
