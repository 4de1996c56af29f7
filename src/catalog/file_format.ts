import { createHash } from 'node:crypto'
import type { DigestSeen } from '../decisions/ports.ts'
import { eachOf, type Work } from '../pieces/index.ts'
import { changingSum, EMPTY_SUM } from './content_sum.ts'
import { type ManifestRecord, recordsFrom } from './manifest_records.ts'
import { type RemovedTag, Snapshot, unknownRepository } from './snapshot.ts'
import { AT_ONCE, isSorted } from './tag_list.ts'

/*
 * Two lines of JSON. The first says what the file is and holds the SHA-256 of the second; the
 * second holds the facts. The revision, the last failure and the last change are not stored: they
 * follow from the facts, or belong to the process that met them.
 */
const FORMAT = 'tagwarden-index'
const VERSION = 1
/** Reading so many bytes takes some ms for each step. */
const LARGE = 1024 * 1024

/** `[value, count]`: many tags are first seen at one time. */
type Runs = readonly (readonly [value: number, count: number])[]

interface StoredFacts {
  readonly scannedAt: number
  readonly tags: readonly string[]
  readonly firstSeen: Runs
  readonly removed: readonly (readonly [tag: string, firstSeen: number, removedAt: number])[]
  readonly records: readonly StoredRecord[]
}

type StoredRecord = readonly [
  tag: string,
  manifest: readonly [digest: string, platforms: readonly string[] | null, at: number] | null,
  history: readonly (readonly [digest: string, firstSeen: number])[],
  absentAt?: number,
]

/** The content of a repository's file, in pieces. */
export function* encoding({ facts }: Snapshot): Work<string[]> {
  const removed = facts.removed
    .entries()
    .map(([tag, seen]) => [tag, seen.firstSeen, seen.removedAt])
  // in the order of StoredFacts
  const body = [`{"scannedAt":${JSON.stringify(facts.scannedAt)},"tags":`]
  yield* listText(facts.tags, body)
  body.push(',"firstSeen":')
  yield* listText(yield* runsOf(facts.firstSeen), body)
  body.push(',"removed":')
  yield* listText(removed, body)
  body.push(',"records":')
  yield* listText(facts.records.byTag.entries().map(storedRecord), body)
  body.push('}\n')
  const sum = createHash('sha256')
  yield* eachOf(body, 1, (piece) => sum.update(piece))
  const { key, readWith } = facts
  const head = { format: FORMAT, version: VERSION, name: key, readWith, sha256: sum.digest('hex') }
  return [`${JSON.stringify(head)}\n`, ...body]
}

/** Adds a list as JSON, in pieces of so many items. */
function* listText(items: Iterable<unknown>, pieces: string[]): Work<void> {
  let some: unknown[] = []
  let before = '['
  const add = () => {
    if (some.length > 0) pieces.push(before + JSON.stringify(some).slice(1, -1))
    if (some.length > 0) before = ','
    some = []
  }
  yield* eachOf(items, AT_ONCE, (item) => {
    some.push(item)
    if (some.length === AT_ONCE) add()
  })
  add()
  pieces.push(before === '[' ? '[]' : ']')
}

function storedRecord([tag, record]: readonly [string, ManifestRecord]): StoredRecord {
  const { manifest, absentAt } = record
  const history = record.history.map((seen) => [seen.digest, seen.firstSeen] as const)
  return manifest
    ? [tag, [manifest.digest, manifest.platforms ?? null, manifest.checkedAt], history]
    : [tag, null, history, absentAt]
}

/**
 * The repository that a file holds.
 *
 * @throws Error that says what is wrong with the file, in a few words
 */
export function* decoding(content: Buffer): Work<Snapshot> {
  const end = content.indexOf(0x0a)
  const head = parseObject(content.subarray(0, Math.max(0, end)).toString(), 'its first line')
  demand(head['format'] === FORMAT, 'it is not a file of the index')
  demand(head['version'] === VERSION, `its version is not ${VERSION}`)
  const body = content.subarray(end + 1)
  demand(head['sha256'] === sha256(body), 'its checksum does not fit')
  if (body.length > LARGE) yield
  const facts = parseObject(body.toString(), 'its second line') as unknown as StoredFacts
  if (body.length > LARGE) yield
  const { name, readWith } = head
  demand(typeof name === 'string', 'it names no repository')
  demand(isTexts([readWith ?? '']), 'its access is wrong')
  try {
    return yield* restoring(name, readWith as string | undefined, facts)
  } catch (cause) {
    throw cause instanceof TypeError ? new Error('it lacks a part', { cause }) : cause
  }
}

function* restoring(
  key: string,
  readWith: string | undefined,
  stored: StoredFacts,
): Work<Snapshot> {
  const { scannedAt, tags } = stored
  demand(isTime(scannedAt) && isTexts(tags) && isSorted(tags), 'its tags are not in order')
  const removed = new Map<string, RemovedTag>()
  yield* eachOf(stored.removed, AT_ONCE, ([tag, firstSeen, removedAt]) => {
    const fits = isTexts([tag]) && isTime(firstSeen) && isTime(removedAt)
    demand(fits, 'a removed tag is wrong')
    removed.set(tag, Object.freeze({ firstSeen, removedAt }))
  })
  const records: [string, ManifestRecord][] = []
  yield* eachOf(stored.records, AT_ONCE, (record) => void records.push(restoreRecord(record)))
  return new Snapshot({
    ...unknownRepository(key).facts,
    readWith: readWith ?? undefined,
    scannedAt,
    tags: Object.freeze(tags),
    firstSeen: expand(stored.firstSeen, tags.length),
    removed,
    records: recordsFrom(records),
    sum: yield* changingSum(EMPTY_SUM, tags, []),
  })
}

function restoreRecord([tag, stored, seen, absentAt = 0]: StoredRecord): [string, ManifestRecord] {
  const history = seen.map(([digest, firstSeen]): DigestSeen => {
    demand(isTexts([digest]) && isTime(firstSeen), 'a digest is wrong')
    return Object.freeze({ digest, firstSeen })
  })
  demand(isTexts([tag]) && history.length > 0, 'a digest is wrong')
  if (stored === null) {
    demand(isTime(absentAt), 'a manifest is wrong')
    return [tag, { manifest: undefined, absentAt, history }]
  }
  const [digest, platforms, checkedAt] = stored
  demand(isTexts([digest]) && isTexts(platforms ?? []) && isTime(checkedAt), 'a manifest is wrong')
  const last = history.at(-1)?.digest
  const manifest = {
    // one text in memory, where the file has two
    digest: last === digest ? last : digest,
    platforms: platforms ? Object.freeze(platforms) : undefined,
    checkedAt,
  }
  return [tag, { manifest: Object.freeze(manifest), absentAt: 0, history }]
}

function* runsOf(values: Float64Array): Work<Runs> {
  const runs: [number, number][] = []
  yield* eachOf(values, AT_ONCE, (value) => {
    const last = runs.at(-1)
    if (last && last[0] === value) last[1] += 1
    else runs.push([value, 1])
  })
  return runs
}

function expand(runs: Runs, length: number): Float64Array {
  const values = new Float64Array(length)
  let end = 0
  for (const [value, count] of runs) {
    demand(isTime(value) && isTime(count) && end + count <= length, 'its times do not fit')
    values.fill(value, end, end + count)
    end += count
  }
  demand(end === length, 'its times do not fit')
  return values
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

function parseObject(text: string, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // said below
  }
  throw new Error(`${what} is no JSON object`)
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise)
}
