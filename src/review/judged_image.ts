import { type PreviewedImage, preview, type ReviewOptions } from '../admission/index.ts'
import type { Change, Finding, Question } from '../decisions/index.ts'
import { parseReference } from '../images/index.ts'
import type { Subject } from '../reports/types.ts'
import { assembledIndex, type ImageParts } from './image_parts.ts'
import type { ReviewSubject } from './subjects.ts'

/** One image of a document, and what admission would say of it. */
export interface JudgedImage {
  readonly subject: Subject
  readonly container: string | undefined
  /** JSON pointer in its object */
  readonly pointer: string
  /** JSON pointer in its document, of the value that a finding points to */
  readonly place: string
  readonly image: unknown
  readonly question: Question | undefined
  readonly findings: readonly Finding[]
  readonly change: Change | undefined
  readonly parts: ImageParts | undefined
}

/**
 * What admission would say of each image of an object.
 *
 * @param deadline ms since the epoch
 */
export async function judgeImages(
  { subject, request, base, parts }: ReviewSubject,
  options: ReviewOptions,
  deadline: number,
): Promise<JudgedImage[]> {
  const previewed = await preview(request, options, deadline)
  return (previewed?.images ?? []).map((image): JudgedImage => {
    const { occurrence, question, findings, change } = image
    const part = parts?.[assembledIndex(occurrence.pointer)]
    const pointer = part?.shown ?? occurrence.pointer
    const common = { subject, question, findings, change, pointer, parts: part }
    return {
      ...common,
      container: containerOf(image),
      place: `${base}${pointer}`,
      image: occurrence.value,
    }
  })
}

function containerOf({ occurrence }: PreviewedImage): string | undefined {
  const { name } = occurrence
  return name === '' ? undefined : name
}

/** A value that is to be written at a place of the document. */
export interface Rewrite {
  /** JSON pointer in the document */
  readonly place: string
  readonly to: string
}

/** What has to be written for an image to become another one; undefined: its parts cannot say it. */
export function rewritesFor(image: JudgedImage, to: string): readonly Rewrite[] | undefined {
  const { parts, place } = image
  if (!parts || parts.whole) return [{ place, to }]
  const { tag, digest } = parseReference(to)
  // A digest that stays beside a new tag would still be what runs.
  if (parts.digest !== undefined && digest === undefined) return undefined
  if (parts.tag === undefined && tag !== undefined && digest === undefined) return undefined
  if (parts.tag !== undefined && tag === undefined) return undefined
  const rewrites: Rewrite[] = []
  if (parts.tag !== undefined && tag !== undefined) rewrites.push({ place: parts.tag, to: tag })
  if (parts.digest !== undefined && digest !== undefined) {
    rewrites.push({ place: parts.digest, to: digest })
  }
  return rewrites
}
