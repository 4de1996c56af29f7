import { promisify } from 'node:util'
import { gunzipSync, gzip } from 'node:zlib'
import { TagwardenError } from '../errors.ts'
import { isDigest, isTag } from '../images/index.ts'
import { eachOf, type Work } from '../pieces/index.ts'
import { inSlices } from '../scheduling/index.ts'
import { decoding, encoding } from './file_format.ts'
import type { Snapshot } from './snapshot.ts'
import { AT_ONCE } from './tag_list.ts'

/** An index that unpacks to more than this, in bytes, is none of ours. */
const MOST_UNPACKED = 32 * 1024 * 1024
/** Unpacking more than this, in bytes, takes some ms. */
const LARGE = 1024 * 1024
/** Clocks of two replicas may differ by so much, in ms. */
const MOST_AHEAD = 3_600_000

const compress = promisify(gzip)

/** A repository's file, compressed, as other replicas adopt it. */
export async function packIndex(snapshot: Snapshot): Promise<Buffer> {
  const pieces = await inSlices(snapshot.key, encoding(snapshot))
  return compress(Buffer.concat(pieces.map((piece) => Buffer.from(piece))))
}

/**
 * Reads what another replica packed. Whoever may write to the status of an object could have
 * forged it, so it must be what a registry could have said, of this very repository.
 *
 * @throws TagwardenError ERR_CATALOG
 */
export function* unpackingIndex(key: string, packed: Uint8Array, now: number): Work<Snapshot> {
  try {
    const unpacked = gunzipSync(packed, { maxOutputLength: MOST_UNPACKED })
    if (unpacked.length > LARGE) yield
    const snapshot = yield* decoding(unpacked)
    const wrong = yield* faultOf(snapshot, key, now)
    if (wrong === undefined) return snapshot
    throw new Error(wrong)
  } catch (cause) {
    const message = `the shared index of ${key} is left out: ${wordsFor(cause)}`
    const remedy = 'The next scan of the leader writes it anew'
    throw new TagwardenError('ERR_CATALOG', message, { cause, remedy })
  }
}

function* faultOf({ facts }: Snapshot, key: string, now: number): Work<string | undefined> {
  if (facts.key !== key) return 'it belongs to another repository'
  const latest = now + MOST_AHEAD
  if (facts.scannedAt > latest) return 'it was read in the future'
  let areTags = true
  for (const tags of [facts.tags, facts.removed.keys()]) {
    yield* eachOf(tags, AT_ONCE, (tag) => {
      areTags &&= isTag(tag)
    })
  }
  if (!areTags) return 'a tag is wrong'
  for (const [tag, { manifest, absentAt, history }] of facts.records.byTag.entries()) {
    const digests = history.map(({ digest }) => digest)
    if (manifest) digests.push(manifest.digest)
    if (!isTag(tag) || !digests.every(isDigest)) return 'a digest is wrong'
    if ((manifest?.checkedAt ?? absentAt) > latest) return 'it was read in the future'
    if (history.some(({ firstSeen }) => firstSeen > latest)) return 'it was read in the future'
  }
  return undefined
}

/** Why it cannot be read. What it holds is not quoted. */
function wordsFor(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'ERR_BUFFER_TOO_LARGE') return `it unpacks to more than ${MOST_UNPACKED} bytes`
  if (code !== undefined) return 'it is damaged'
  return cause instanceof Error ? cause.message : 'it is damaged'
}
