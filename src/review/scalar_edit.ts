import { isDeepStrictEqual } from 'node:util'
import { load, SCALAR_STYLE, YAML11_SCHEMA } from 'js-yaml'
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

const SHARED = 'it is written once, by an anchor, for places that need different values'
const ELSEWHERE = 'it is written once, by an anchor, for other fields too'
const UNCLEAR = 'it is written in a way that cannot be changed in place'

/**
 * Plans to write other values into a document, so that nothing else changes: the result is read
 * again, and must be the same document but for these values.
 */
export function planEdits(
  text: string,
  manifest: Manifest,
  rewrites: readonly Rewrite[],
): EditPlan {
  const refused: { rewrite: Rewrite; why: string }[] = []
  const finder = createPlaceFinder(text, manifest.events())
  const byStart = new Map<number, { place: Place; rewrites: Rewrite[] }>()
  for (const rewrite of rewrites) {
    const place = finder.find(keysOf(rewrite.place))
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
  const kept = keeps(text, manifest, steps)
    ? steps
    : steps.filter((step) => {
        const alone = keeps(text, manifest, [step])
        if (!alone) {
          for (const rewrite of step.rewrites) refused.push({ rewrite, why: ELSEWHERE })
        }
        return alone
      })
  const edits = kept.map(({ edit }) => edit).sort((a, b) => a.start - b.start)
  return { edits, done: new Set(kept.flatMap((step) => step.rewrites)), refused }
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
  const before = String(valueAt(value, keysOf(place)))
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

/** Whether the edits change these values, and nothing else. */
function keeps(text: string, { value }: Manifest, steps: readonly Step[]): boolean {
  const edits = steps.map(({ edit }) => edit).sort((a, b) => a.start - b.start)
  const after = readManifest(applyEdits(text, edits))
  if (isFault(after)) return false
  const wanted = steps
    .flatMap((step) => step.rewrites)
    .reduce((object, { place, to }) => withValue(object, keysOf(place), to), value)
  return isDeepStrictEqual(after.value, wanted)
}

/** The keys of a JSON pointer. */
export function keysOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function valueAt(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (at, key) => (at as Record<string, unknown> | undefined)?.[key],
    value,
  )
}

function withValue(value: unknown, [key, ...rest]: readonly string[], to: string): unknown {
  if (key === undefined) return to
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string,
    unknown
  >
  copy[key] = withValue(copy[key], rest, to)
  return copy
}
