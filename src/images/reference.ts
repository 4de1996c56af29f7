import { TagwardenError } from '../errors.ts'
import { createRecurringCache } from '../pieces/index.ts'
import { displayImage } from './display.ts'
import { DIGEST_RULE, referenceFault, TAG_RULE } from './fault.ts'
import { isDigest, isTag, readReference, splitReference } from './grammar.ts'
import type { ImageReference } from './types.ts'

/** A cluster runs few images, and each review names them again; hostile texts are bounded. */
const known = createRecurringCache<ImageReference>(5000)

/**
 * Reads an image as the container runtimes do: `docker.io` and `library/` are filled in, tag and
 * digest are both kept, and no tag is added where there is none. The host keeps its letter case;
 * compare it without.
 *
 * @throws TagwardenError ERR_INVALID_REFERENCE that says what is wrong, where, and what to write
 * @example
 *   parseReference('web:v1.4.2').normalized // docker.io/library/web:v1.4.2
 */
export function parseReference(text: string): ImageReference {
  const before = known.get(text)
  if (before) return before
  const reference = typeof text === 'string' ? readReference(text) : undefined
  if (reference === undefined) throw referenceFault(text)
  known.offer(text, reference)
  return reference
}

/**
 * The image with another tag and digest, the name as its author spelled it. What is left out is
 * not in the result.
 *
 * @throws TagwardenError ERR_INVALID_REFERENCE if the tag or the digest is none
 * @example
 *   respell(parseReference('web:v1'), { tag: 'v1.4.2' }) // web:v1.4.2
 */
export function respell(
  reference: ImageReference,
  { tag, digest }: { readonly tag?: string | undefined; readonly digest?: string | undefined },
): string {
  if (tag !== undefined && !isTag(tag)) {
    throw new TagwardenError('ERR_INVALID_REFERENCE', `${displayImage(tag)} is not a tag`, {
      remedy: TAG_RULE,
    })
  }
  if (digest !== undefined && !isDigest(digest)) {
    throw new TagwardenError('ERR_INVALID_REFERENCE', `${displayImage(digest)} is not a digest`, {
      remedy: DIGEST_RULE,
    })
  }
  const { name } = splitReference(reference.original)
  const tagged = tag === undefined ? name : `${name}:${tag}`
  return digest === undefined ? tagged : `${tagged}@${digest}`
}
