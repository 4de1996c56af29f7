import { type ImageOccurrence, isTag } from '../images/index.ts'
import { isObject, type JsonObject, own } from './review.ts'

/** The annotation in which Tagwarden says, and later reads, what it did. */
export const RECORD_ANNOTATION = 'tagwarden.io/images'
/** `"true"` stops Track on a workload. */
export const HOLD_ANNOTATION = 'tagwarden.io/hold'

/** What was done for one container. */
export interface ImageRecord {
  /** name of the container, `volume/<name>`, or the field where there is no name of its own */
  readonly container: string
  /** the image as it was applied */
  readonly requested: string
  /** the image that it became */
  readonly resolved: string
  /** title of the policy */
  readonly policy: string
  /** the tag that was chosen, where `resolved` has none */
  readonly tag?: string | undefined
  /** the `build` group of the policy's pattern */
  readonly build?: string | undefined
  /** the newer tag that a rollback left; Track waits for something newer than it */
  readonly rolledBackFrom?: string | undefined
}

/** The tag that was chosen, if it can be one: anybody may have written the record. */
export function chosenTag({ tag }: ImageRecord): string | undefined {
  return tag !== undefined && isTag(tag) ? tag : undefined
}

/** Longer records are not read, and not written: annotations may have 256 KiB in all. */
const MAX_LENGTH = 128 * 1024

/** The records in an object's annotations by container; none when there is no usable annotation. */
export function readRecords(annotations: JsonObject): ReadonlyMap<string, ImageRecord> {
  const text = own(annotations, RECORD_ANNOTATION)
  const records = new Map<string, ImageRecord>()
  if (typeof text !== 'string' || text.length > MAX_LENGTH) {
    return records
  }
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return records
  }
  for (const entry of Array.isArray(list) ? list : []) {
    const record = isObject(entry) ? toRecord(entry) : undefined
    if (record) {
      records.set(record.container, record)
    }
  }
  return records
}

/** The annotation's text; the last records are left out when it would be too long. */
export function writeRecords(records: readonly ImageRecord[]): string {
  let text = JSON.stringify(records)
  for (let count = records.length; text.length > MAX_LENGTH; ) {
    count = Math.floor((count * MAX_LENGTH * 0.95) / text.length)
    text = JSON.stringify(records.slice(0, count))
  }
  return text
}

/** What each image is called in its record: lists of a custom kind may use the same names. */
export function recordKeys(occurrences: readonly ImageOccurrence[]): readonly string[] {
  const keys = occurrences.map(nameKey)
  if (!occurrences.some(({ role }) => role === 'custom')) return keys
  const count = new Map<string, number>()
  for (const key of keys) count.set(key, (count.get(key) ?? 0) + 1)
  return keys.map((key, index) => (count.get(key) === 1 ? key : (occurrences[index]?.field ?? key)))
}

/** The record of an image, also where other images took or gave up its name since. */
export function recordOf(
  records: ReadonlyMap<string, ImageRecord>,
  key: string,
  occurrence: ImageOccurrence,
): ImageRecord | undefined {
  if (records.size === 0) return undefined
  return records.get(key) ?? records.get(occurrence.field) ?? records.get(nameKey(occurrence))
}

function nameKey({ role, name, field }: ImageOccurrence): string {
  if (name === undefined) return field
  return role === 'volume' ? `volume/${name}` : name
}

function toRecord(entry: JsonObject): ImageRecord | undefined {
  const { container, requested, resolved, policy, tag, build, rolledBackFrom } = entry
  if (![container, requested, resolved, policy].every((part) => typeof part === 'string')) {
    return undefined
  }
  return {
    container: container as string,
    requested: requested as string,
    resolved: resolved as string,
    policy: policy as string,
    ...(typeof tag === 'string' && { tag }),
    ...(typeof build === 'string' && { build }),
    ...(typeof rolledBackFrom === 'string' && { rolledBackFrom }),
  }
}
