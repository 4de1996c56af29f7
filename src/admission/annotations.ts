import type { Change, Decision, Question } from '../decisions/index.ts'
import { parseReference } from '../images/index.ts'
import { annotationsOf, type Examined } from './examine.ts'
import { type ImageRecord, RECORD_ANNOTATION, readRecords, writeRecords } from './record.ts'
import { type AdmissionRequest, type JsonObject, own } from './review.ts'

/** An annotation key's name part may have 63 characters; `tag.` takes four. */
const MAX_NAME = 59
/** All annotations together may have 256 KiB; half of that is for `tagwarden.io/images`. */
const MAX_IMAGES = 500
/** https://github.com/kubernetes/apimachinery: validation.TotalAnnotationSizeLimitB */
const MAX_BYTES = 256 * 1024

/**
 * What the annotations of the object become: what was done for each image, in the words of
 * `tagwarden.io/images` and of `<prefix>/tag.<image>`, `<prefix>/build.number`.
 *
 * @returns key -> value; undefined means that the key is taken away
 */
export function annotate(
  request: AdmissionRequest,
  examined: readonly Examined[],
  decisions: readonly Decision[],
  prefix: string,
): Map<string, string | undefined> {
  const records = examined.flatMap((image, index) => nextRecord(image, decisions[index]) ?? [])
  const wanted = new Map<string, string | undefined>()
  const present = annotationsOf(request.object)
  // of images that are gone, too
  const past = annotationsOf(request.oldObject)
  const isSame = own(past, RECORD_ANNOTATION) === own(present, RECORD_ANNOTATION)
  for (const annotations of isSame ? [present] : [past, present]) {
    const before = [...readRecords(annotations).values()]
    for (const key of tagAnnotations(before, prefix).keys()) wanted.set(key, undefined)
  }
  if (records.length === 0) {
    if (own(present, RECORD_ANNOTATION) !== undefined) {
      wanted.set(RECORD_ANNOTATION, undefined)
      wanted.set(`${prefix}/build.number`, undefined)
    }
    return wanted
  }
  for (const [key, value] of tagAnnotations(records, prefix)) {
    wanted.set(key, value)
  }
  wanted.set(RECORD_ANNOTATION, writeRecords(records))
  wanted.set(`${prefix}/build.number`, buildNumber(request, records, examined, decisions, prefix))
  return fits(present, wanted) ? wanted : new Map([...wanted.keys()].map((key) => [key, undefined]))
}

/** Whether the API server takes an object with these annotations: what it refuses is no help. */
function fits(present: JsonObject, wanted: ReadonlyMap<string, string | undefined>): boolean {
  const all: string[] = []
  // A character is one to three bytes, so nearly always they need not be counted.
  let characters = 0
  const add = (key: string, value: unknown): void => {
    if (typeof value !== 'string') return
    all.push(key, value)
    characters += key.length + value.length
  }
  for (const [key, value] of wanted) add(key, value)
  for (const key of Object.keys(present)) {
    if (characters > MAX_BYTES) return false
    if (!wanted.has(key)) add(key, present[key])
  }
  if (characters * 3 <= MAX_BYTES) return true
  return all.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0) <= MAX_BYTES
}

function nextRecord(image: Examined, decision: Decision | undefined): ImageRecord | undefined {
  const { key: container, prior, stated, unchanged, question } = image
  if (!decision || !question) {
    return undefined
  }
  const value = question.image.original
  const { change, rolledBackFrom } = decision
  if (change) {
    return {
      container,
      requested: value,
      resolved: change.to,
      policy: change.policy.title,
      tag: tagOf(change, prior, question),
      build: change.build,
      rolledBackFrom,
    }
  }
  if (unchanged) {
    const record = recordOfSame(prior, stated, value)
    return record && { ...record, container }
  }
  const source =
    stated?.resolved === value ? stated : rolledBackFrom === undefined ? undefined : prior
  return source && { ...source, container, resolved: value, rolledBackFrom }
}

/**
 * The record of an image that stays. Where the webhook is called again for one request, the object
 * says already what that asked for; else what was stored counts.
 */
function recordOfSame(
  prior: ImageRecord | undefined,
  stated: ImageRecord | undefined,
  value: string,
): ImageRecord | undefined {
  const [before, now] = [prior, stated].map((each) => (each?.resolved === value ? each : undefined))
  if (!before || !now) return now ?? before
  // A rollback to the same image brings back a record of before the other one.
  return before.requested === now.requested
    ? { ...now, rolledBackFrom: before.rolledBackFrom }
    : now
}

/** The tag that a bare digest stands for, so that a replica that never saw it need not guess. */
function tagOf(
  { kept, tag, policy }: Change,
  prior: ImageRecord | undefined,
  { previous }: Question,
): string | undefined {
  if (kept) return previous?.record && prior?.tag
  return policy.reference === 'Digest' ? tag : undefined
}

/**
 * `<prefix>/tag.<image>` for each record: the digest, or the tag where there is none. The image
 * is the last part of its name; names that would clash or do not fit get a hash.
 */
function tagAnnotations(records: readonly ImageRecord[], prefix: string): Map<string, string> {
  const images = records.slice(0, MAX_IMAGES).flatMap(({ resolved }) => {
    try {
      return parseReference(resolved)
    } catch {
      return []
    }
  })
  const owners = new Map<string, string>()
  const clashing = new Set<string>()
  for (const { repository, name } of images) {
    const short = lastPart(repository)
    const owner = owners.get(short)
    if (owner === undefined) {
      owners.set(short, name)
    } else if (owner !== name) {
      clashing.add(short)
    }
  }
  return new Map(
    images.map(({ repository, name, tag, digest }) => {
      const short = lastPart(repository)
      const fits = short.length <= MAX_NAME && !clashing.has(short)
      const key = fits
        ? short
        : `${short.slice(0, MAX_NAME - 9).replace(/[^a-z0-9]+$/, '')}-${hash(name)}`
      return [`${prefix}/tag.${key}`, digest ?? tag ?? '']
    }),
  )
}

function lastPart(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1)
}

/** FNV-1a, 32 bits, as 8 hex digits: short, stable, and no secret depends on it. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return (value >>> 0).toString(16).padStart(8, '0')
}

/**
 * The first image's build; where no pattern names one, the number of promotions so far. A promotion
 * that was made outside of the webhook states the next number itself.
 */
function buildNumber(
  request: AdmissionRequest,
  records: readonly ImageRecord[],
  examined: readonly Examined[],
  decisions: readonly Decision[],
  prefix: string,
): string {
  const build = records.find((record) => record.build !== undefined)?.build
  if (build !== undefined) {
    return build
  }
  const key = `${prefix}/build.number`
  if (request.oldObject === undefined) {
    // made anew: nothing has moved yet, also where the mutating webhook is called twice
    return String(Math.max(1, count(own(annotationsOf(request.object), key))))
  }
  const before = count(own(annotationsOf(request.oldObject), key))
  const moved =
    decisions.some(({ change }, index) => {
      const before = examined[index]?.question?.previous?.image.original
      return change !== undefined && !change.kept && change.to !== before
    }) ||
    (count(own(annotationsOf(request.object), key)) === before + 1 &&
      examined.some(({ question, unchanged }) => question?.restored && !unchanged))
  return String(Math.max(1, before + (moved ? 1 : 0)))
}

function count(written: unknown): number {
  return typeof written === 'string' && /^\d{1,15}$/.test(written) ? Number(written) : 0
}
