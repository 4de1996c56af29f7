import {
  binaryTag,
  CORE_SCHEMA,
  constructFromEvents,
  defineScalarTag,
  EVENT_ID,
  type Event,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
  YAMLException,
} from 'js-yaml'

import { disputedMerge } from './scalar_place.ts'

/** A document that could be read. */
export interface Manifest {
  readonly value: unknown
  /** undefined for JSON until they are asked for */
  readonly events: () => readonly Event[]
  readonly json: boolean
}

/** Why a document could not be read. */
export interface ManifestFault {
  /** UTF-16 units from the start of the document */
  readonly offset: number
  readonly message: string
  readonly remedy: string
  /** it is no YAML: a template may be, before it is filled in */
  readonly isSyntax: boolean
}

/** Deeper documents are refused. */
const DEEPEST = 500
/** Values that aliases make of a document. */
const MOST_VALUES = 1_000_000
/** They end a line by YAML 1.1 (§4.1.4), which go-yaml 2 and so `kubectl` reads, and not by 1.2. */
const OLD_BREAK = /[\u0085\u2028\u2029]/
/** go-yaml, and so Kubernetes, makes a text of it, also of a key. */
const binaryTextTag = defineScalarTag(binaryTag.tagName, {
  resolve(source, ...more) {
    const bytes = binaryTag.resolve(source, ...more)
    return bytes === NOT_RESOLVED ? NOT_RESOLVED : Buffer.from(bytes).toString('utf8')
  },
  identify: () => false,
})
const SCHEMA = CORE_SCHEMA.withTags(mergeTag, binaryTextTag)

const REMEDIES: readonly [reason: RegExp, remedy: string][] = [
  [/tab characters/, 'Indent with spaces, not with tabs'],
  [/duplicated mapping key/, 'Keep one of the two'],
  [/unidentified alias/, 'Correct the name, or write the value out'],
  [/indentation/, 'Line the fields of one object up in one column'],
  [/unexpected end|missed comma|expected the node/, 'Close what was opened: a quote or a bracket'],
]

/** Reads one document: JSON, or YAML 1.2 with merge keys. Never throws. */
export function readManifest(text: string): Manifest | ManifestFault {
  if (/^[\ufeff\s]*[{[]/.test(text)) {
    const json = readJson(text)
    if (json) return json
  }
  let events: Event[]
  try {
    events = parseEvents(text, { maxDepth: DEEPEST })
  } catch (error) {
    return describeFault(error, true)
  }
  try {
    const [value, ...more] = constructFromEvents(events, { source: text, schema: SCHEMA })
    if (more.length > 0) return fault(0, 'holds more than one document', 'Write --- between them')
    if (events.some(({ type }) => type === EVENT_ID.ALIAS) && isTooLarge(value)) {
      const remedy = 'Write the values out instead of using * aliases'
      return fault(0, 'repeats itself too often by its aliases', remedy)
    }
    const disputed = text.includes('<<') ? disputedMerge(text, events) : undefined
    if (disputed !== undefined) {
      const message =
        'sets a key twice: << stands below a key that it sets too, and kubectl takes <<'
      return fault(disputed, message, 'Write << above all other keys, and once')
    }
    const hidden = text.search(OLD_BREAK)
    if (hidden >= 0 && !isSameToOld(text, value)) {
      const sign = `U+${text.charCodeAt(hidden).toString(16).toUpperCase().padStart(4, '0')}`
      const remedy = 'Remove it, or write it as an escape in double quotes'
      return fault(hidden, `holds ${sign}, behind which kubectl reads a new line`, remedy)
    }
    return { value: value ?? null, events: () => events, json: false }
  } catch (error) {
    return describeFault(error, false)
  }
}

/** Whether a document could not be read. */
export function isFault(read: Manifest | ManifestFault): read is ManifestFault {
  return 'message' in read
}

/** Whether readers of YAML 1.1 see the same, but for white space in texts. */
function isSameToOld(text: string, value: unknown): boolean {
  const old = readManifest(text.replaceAll(new RegExp(OLD_BREAK, 'g'), '\n'))
  return !isFault(old) && shapeOf(old.value) === shapeOf(value ?? null)
}

function shapeOf(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    typeof each === 'string' ? each.replaceAll(/[\s\u0085]/g, '') : each,
  )
}

function readJson(text: string): Manifest | undefined {
  let value: unknown
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  } catch {
    return undefined // YAML may begin with a bracket too
  }
  let events: readonly Event[] | undefined
  return {
    value,
    json: true,
    events() {
      events ??= parseEvents(text, { maxDepth: DEEPEST })
      return events
    },
  }
}

/** Whether a value becomes too large, or endless, when its aliases are written out. */
function isTooLarge(root: unknown): boolean {
  const open: unknown[] = [root]
  let count = 0
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue
    const inside = Object.values(value)
    count += inside.length
    if (count > MOST_VALUES) return true
    for (const each of inside) if (typeof each === 'object' && each !== null) open.push(each)
  }
  return false
}

function describeFault(error: unknown, isSyntax: boolean): ManifestFault {
  if (!(error instanceof YAMLException)) {
    return fault(0, 'is nested too deeply', 'Write it with fewer levels')
  }
  const { reason, mark } = error
  // {{ .Values.image }} is a mapping in a mapping, and so far no fault
  const isTemplate = isSyntax || /complex keys/.test(reason)
  const known = REMEDIES.find(([pattern]) => pattern.test(reason))
  const remedy = known?.[1] ?? 'Correct the text at this place'
  return fault(mark?.position ?? 0, `is not YAML: ${reason.slice(0, 200)}`, remedy, isTemplate)
}

function fault(offset: number, message: string, remedy: string, isSyntax = false): ManifestFault {
  return { offset, message, remedy, isSyntax }
}
