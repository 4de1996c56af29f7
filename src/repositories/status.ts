import { type Said, settled, timeText } from '../cluster/index.ts'
import type { FactFailure, RepositorySnapshot } from '../decisions/ports.ts'
import type { Condition, ImageRepositoryStatus } from '../policies/types.ts'
import { failureText, heldText, reasonOf } from './failures.ts'
import type { ImageRepository, RepositoryFault } from './types.ts'

/** Part of the status that says what a policy selects. */
export type Selection = NonNullable<ImageRepositoryStatus['selections']>[number]

/** The schema's limits. */
const MOST_SELECTIONS = 100
const MOST_LATEST = 10

/** What is known of an ImageRepository when its status is to be written. */
export interface StatusFacts {
  readonly object: ImageRepository
  readonly snapshot: RepositorySnapshot | undefined
  /** of the last scan, if it failed */
  readonly failure: FactFailure | undefined
  /** why it isn't read at all */
  readonly fault: RepositoryFault | undefined
  readonly selections: readonly Selection[]
  /** permitted by the first policy, best first; undefined when no policy covers it */
  readonly ranked: readonly string[] | undefined
  /** whether its spec says how it is scanned; else that is the installation's own business */
  readonly governs: boolean
  /** value of the annotation that asked for a scan which was made */
  readonly handledScan: string | undefined
  /** ms since the epoch */
  readonly now: number
}

/**
 * The status of an ImageRepository, all but the index itself. Conditions are those of kstatus:
 * `Reconciling` and `Stalled` are there only while they hold.
 */
export function statusOf(facts: StatusFacts): ImageRepositoryStatus {
  const { object, snapshot, selections, ranked, handledScan } = facts
  const { status: before } = object
  const known = snapshot && snapshot.scannedAt > 0 ? snapshot : undefined
  const lastScanTime = known ? timeText(known.scannedAt) : before?.lastScanTime
  return {
    ...(object.metadata.generation !== undefined && {
      observedGeneration: object.metadata.generation,
    }),
    conditions: settled(
      conditionsOf(facts, known),
      before?.conditions,
      object.metadata.generation,
      facts.now,
    ),
    ...(lastScanTime !== undefined && { lastScanTime }),
    ...(handledScan !== undefined && { lastHandledScan: handledScan }),
    ...(before?.lastUsedTime !== undefined && { lastUsedTime: before.lastUsedTime }),
    ...(known && {
      tagCount: known.tags.length,
      revision: known.revision,
      latestTags: (ranked ?? known.tags.slice(-MOST_LATEST).reverse()).slice(0, MOST_LATEST),
    }),
    ...(selections.length > 0 && { selections: selections.slice(0, MOST_SELECTIONS) }),
  }
}

function conditionsOf(facts: StatusFacts, known: RepositorySnapshot | undefined): Said[] {
  const { object, failure, fault, governs } = facts
  const { interval = '10m' } = object.spec
  const suspend = governs && object.spec.suspend === true
  if (fault) return [...faulty(fault)]
  if (suspend) {
    const message = `suspend is set, so its tags are not read; ${heldText(known !== undefined)}`
    return [said('Ready', known ? 'True' : 'False', 'Suspended', message)]
  }
  if (failure) {
    const text = failureText(failure, object.spec.secretRef?.name, known !== undefined)
    return [
      said('Ready', 'False', reasonOf(failure), text),
      said('Reconciling', 'True', 'Progressing', `it is tried again, at least every ${interval}`),
    ]
  }
  if (!known) {
    const message = 'its tags have not been read yet'
    return [
      said('Ready', 'Unknown', 'Progressing', message),
      said('Reconciling', 'True', 'Progressing', message),
    ]
  }
  const count = known.tags.length === 1 ? '1 tag' : `${known.tags.length} tags`
  const how = governs
    ? `read every ${interval}`
    : 'read as the installation reads it; interval, suspend and exclusionList count with a secretRef'
  return [said('Ready', 'True', 'Succeeded', `${count}, ${how}`)]
}

/** A missing Secret may come at any time; the rest needs another spec. */
function* faulty({ reason, message }: RepositoryFault): Generator<Said> {
  yield said('Ready', 'False', reason, message)
  yield reason === 'SecretNotFound'
    ? said('Reconciling', 'True', 'Progressing', 'it is read as soon as the Secret is there')
    : said('Stalled', 'True', reason, message)
}

function said(type: string, status: Condition['status'], reason: string, message: string): Said {
  return { type, status, reason, message }
}
