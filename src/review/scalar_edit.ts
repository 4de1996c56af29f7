import { load, SCALAR_STYLE, YAML11_SCHEMA } from 'js-yaml'
import { escapeKey, pointerKeys, valueAt } from '../images/index.ts'
import type { Rewrite } from './judged_image.ts'
import { isFault, type Manifest, readManifest } from './manifest.ts'
import { createPlaceFinder, type Place } from './scalar_place.ts'

/** Other text for a part of a document; offsets in UTF-16 units. */
export interface TextEdit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** How values of a document can be changed. */
export interface EditPlan {
  /** in their order, and none overlaps another */
  readonly edits: readonly TextEdit[]
  readonly done: ReadonlySet<Rewrite>
  /** what can not be written, and why */
  readonly refused: readonly { readonly rewrite: Rewrite; readonly why: string }[]
}

interface Step {
  readonly edit: TextEdit
  readonly rewrites: readonly Rewrite[]
}

/** A document is read again so often to find out which of its fixes would do harm. */
const MOST_LOOKS = 200

const SHARED = 'it is written once, by an anchor, for places that need different values'
const ELSEWHERE = 'it is written once, by an anchor, for other fields too'
const UNCLEAR = 'it is written in a way that cannot be changed in place'

/**
 * Plans to write other values into a document, so that nothing else changes: the result is read
 * again, and must be the same document but for these values, and for where an anchor or a merge key
 * takes them from.
 *
 * @param untouchable JSON pointers of values that may not change along with others
 */
export function planEdits(
  text: string,
  manifest: Manifest,
  rewrites: readonly Rewrite[],
  untouchable: ReadonlySet<string> = new Set(),
): EditPlan {
  const refused: { rewrite: Rewrite; why: string }[] = []
  const finder = createPlaceFinder(text, manifest.events())
  const byStart = new Map<number, { place: Place; rewrites: Rewrite[] }>()
  for (const rewrite of rewrites) {
    const place = finder.find(pointerKeys(rewrite.place))
    if (place?.style === undefined) refused.push({ rewrite, why: UNCLEAR })
    else {
      const found = byStart.get(place.start) ?? { place, rewrites: [] }
      found.rewrites.push(rewrite)
      byStart.set(place.start, found)
    }
  }
  const steps: Step[] = []
  for (const { place, rewrites: group } of byStart.values()) {
    const [first] = group
    const agreed = group.every(({ to }) => to === first?.to)
    const edit = first && agreed ? editFor(text, manifest, place, first) : undefined
    if (edit) steps.push({ edit, rewrites: group })
    else {
      for (const rewrite of group) refused.push({ rewrite, why: agreed ? UNCLEAR : SHARED })
    }
  }
  const kept = harmless(steps, (some) => keeps(text, manifest, some, untouchable))
  const unharmed = new Set(kept)
  for (const step of steps.filter((each) => !unharmed.has(each))) {
    for (const rewrite of step.rewrites) refused.push({ rewrite, why: ELSEWHERE })
  }
  const edits = kept.map(({ edit }) => edit).sort((a, b) => a.start - b.start)
  return { edits, done: new Set(kept.flatMap((step) => step.rewrites)), refused }
}

/** The steps that do no harm, found by halves: each look costs a reading of the document. */
function harmless(
  all: readonly Step[],
  keep: (steps: readonly Step[]) => boolean,
): readonly Step[] {
  let looks = 0
  function among(steps: readonly Step[]): readonly Step[] {
    if (steps.length === 0 || looks >= MOST_LOOKS) return []
    looks += 1
    if (keep(steps)) return steps
    const half = steps.length >> 1
    return half === 0 ? [] : [...among(steps.slice(0, half)), ...among(steps.slice(half))]
  }
  return among(all)
}

/** A text with edits applied, which are in order and do not overlap. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = ''
  let at = 0
  for (const { start, end, text: by } of edits) {
    result += text.slice(at, start) + by
    at = end
  }
  return result + text.slice(at)
}

function editFor(
  text: string,
  { value, json }: Manifest,
  { start, end, style }: Place,
  { place, to }: Rewrite,
): TextEdit | undefined {
  const written = text.slice(start, end)
  const before = String(valueAt(value, place))
  const block = style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK
  if (block) return written === before ? { start, end, text: to } : undefined
  const plain = style === SCALAR_STYLE.PLAIN
  return { start, end, text: plain && (json || !isPlain(to)) ? JSON.stringify(to) : to }
}

/** Whether every reader of YAML takes a bare word for a text. */
function isPlain(word: string): boolean {
  if (!/^[A-Za-z0-9][\w./:@+-]*$/.test(word) || word.endsWith(':')) return false
  return [load(word), load(word, { schema: YAML11_SCHEMA })].every((read) => read === word)
}

/** Whether the edits change these values, and nothing else that counts. */
function keeps(
  text: string,
  { value }: Manifest,
  steps: readonly Step[],
  untouchable: ReadonlySet<string>,
): boolean {
  const edits = steps.map(({ edit }) => edit).sort((a, b) => a.start - b.start)
  const after = readManifest(applyEdits(text, edits))
  if (isFault(after)) return false
  const wanted = new Map(steps.flatMap((step) => step.rewrites).map((each) => [each.place, each]))
  const named = new Map(
    [...wanted.values()].map((each) => [`${lastKey(each.place)} ${each.to}`, each]),
  )
  let met = 0
  const fits = sameButFor(value, after.value, '', (place, from, to) => {
    const rewrite = wanted.get(place)
    if (rewrite) {
      met += 1
      return to === rewrite.to
    }
    // the anchor that an image is taken from, in a field of the same name that nothing reads
    const source = named.get(`${lastKey(place)} ${to}`)
    return source !== undefined && !untouchable.has(place) && from === valueAt(value, source.place)
  })
  return fits && met === wanted.size
}

/** Whether two values are the same but for differences that are admitted. */
function sameButFor(
  before: unknown,
  after: unknown,
  place: string,
  admits: (place: string, from: unknown, to: unknown) => boolean,
): boolean {
  if (Object.is(before, after)) return true
  const objects = [before, after].every((each) => typeof each === 'object' && each !== null)
  if (!objects) return admits(place, before, after)
  if (Array.isArray(before) !== Array.isArray(after)) return false
  const [old, now] = [before, after] as [Record<string, unknown>, Record<string, unknown>]
  const keys = Object.keys(old)
  return (
    keys.length === Object.keys(now).length &&
    keys.every(
      (key) =>
        Object.hasOwn(now, key) &&
        sameButFor(old[key], now[key], `${place}/${escapeKey(key)}`, admits),
    )
  )
}

function lastKey(place: string): string {
  return place.slice(place.lastIndexOf('/') + 1)
}
