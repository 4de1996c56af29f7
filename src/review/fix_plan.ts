import { valueAt } from '../images/index.ts'
import { LEVEL_OF, LEVELS, type Level } from '../reports/types.ts'
import { type JudgedImage, type Rewrite, rewritesFor } from './judged_image.ts'
import type { Manifest } from './manifest.ts'
import { planEdits, type TextEdit } from './scalar_edit.ts'

/** What is written in place of what stands there. */
export interface Fixing {
  /** the mildest violation that is put right */
  readonly level: Level
  /** whether what a policy would change is written too */
  readonly pin: boolean
}

/** How the images of a document are put right. */
export interface FixPlan {
  readonly edits: readonly TextEdit[]
  /** how many images change */
  readonly images: number
  /** JSON pointers of what stays although it should be fixed, and why */
  readonly unfixed: readonly { readonly place: string; readonly why: string }[]
}

const OTHER_DIGEST = 'its digest stands beside it, and the new one is not known'

/**
 * Plans what to write for the images of a document.
 *
 * @param resolved JSON pointer of an image -> what a fix of it would be resolved to
 */
export function planFixes(
  text: string,
  manifest: Manifest,
  images: readonly JudgedImage[],
  fixing: Fixing,
  resolved: ReadonlyMap<string, string> = new Map(),
): FixPlan {
  const unfixed: { place: string; why: string }[] = []
  const wanted: { place: string; rewrites: readonly Rewrite[] }[] = []
  for (const image of images) {
    const to = resolved.get(image.place) ?? targetOf(image, fixing)
    if (to === undefined || to === image.image) continue
    const rewrites = rewritesFor(image, to)?.filter(
      (each) => String(valueAt(manifest.value, each.place)) !== each.to,
    )
    if (rewrites === undefined) unfixed.push({ place: image.place, why: OTHER_DIGEST })
    else if (rewrites.length > 0) wanted.push({ place: image.place, rewrites })
  }
  if (wanted.length === 0) return { edits: [], images: 0, unfixed }
  const places = new Set(images.map(({ place }) => place))
  const plan = planEdits(text, manifest, rewritesOf(wanted), places)
  const whole = wanted.filter(({ rewrites }) => rewrites.every((each) => plan.done.has(each)))
  for (const { rewrite, why } of plan.refused) unfixed.push({ place: rewrite.place, why })
  const { edits } =
    rewritesOf(whole).length === plan.done.size
      ? plan
      : // a tag without its digest would be another image
        planEdits(text, manifest, rewritesOf(whole), places)
  return { edits, images: whole.length, unfixed }
}

function rewritesOf(wanted: readonly { readonly rewrites: readonly Rewrite[] }[]): Rewrite[] {
  return wanted.flatMap(({ rewrites }) => rewrites)
}

function targetOf(image: JudgedImage, { level, pin }: Fixing): string | undefined {
  const counted = LEVELS.slice(0, LEVELS.indexOf(level) + 1)
  const violation = image.findings.find(
    ({ use, enforcement }) => use !== undefined && counted.includes(LEVEL_OF[enforcement]),
  )
  return violation?.use ?? (pin ? image.change?.to : undefined)
}
