import { hostname } from 'node:os'
import { LRUCache } from 'lru-cache'
import { type ClusterClock, systemClock } from './clock.ts'
import { hasReason } from './cluster_error.ts'
import { type CountedEvent, eventKey, eventObject, objectKey, seriesOf } from './event_object.ts'
import type { ClusterLog } from './log.ts'
import { EVENTS } from './resources.ts'
import { createTokenBucket, type TokenBucket } from './token_bucket.ts'
import type { Cluster, ClusterEvent, EventRecorder, ObjectKey } from './types.ts'

/** Why an event is not written: too many of its object, too many in all, or the API server. */
export type EventLoss = 'ObjectRate' | 'QueueFull' | 'Refused'

export interface EventRecorderOptions {
  /** what `reportingController` ends with: `tagwarden.io/<component>` */
  readonly component: string
  /** name of this process; the host's */
  readonly instance?: string | undefined
  readonly onLoss?: ((why: EventLoss) => void) | undefined
  readonly clock?: ClusterClock | undefined
  readonly log?: ClusterLog | undefined
}

interface Entry extends CountedEvent {
  readonly key: string
  readonly object: TokenBucket
  /** undefined until it is written */
  written: ObjectKey | undefined
  /** whether it waits to be written, at once or later */
  waiting: boolean
}

/** Those of client-go, for each object. */
const OBJECT_RATE = { burst: 25, interval: 300_000 }
const RATE = { burst: 50, interval: 100 }
const LONGEST_QUEUE = 1_000
const MOST_REMEMBERED = 4_096
/** An event that is repeated after so long a pause, in ms, is a new one. */
const SERIES_ENDS = 600_000
/** Between two counts that are written of one event. */
const SERIES_INTERVAL = 60_000
const FLUSH_LIMIT = 3_000

/**
 * Writes events one after the other. An equal one only raises the count of the first, which is
 * written at most once a minute.
 *
 * @example
 *   const events = createEventRecorder(cluster, { component: 'promoter' })
 *   events.record({ about, type: 'Normal', reason: 'Promoted', message: 'app: web:1.4.1 -> web:1.4.2' })
 *   await events.close()
 */
export function createEventRecorder(
  cluster: Cluster,
  options: EventRecorderOptions,
): EventRecorder {
  const { component, instance = hostname(), onLoss, clock = systemClock, log } = options
  const reporter = { controller: `tagwarden.io/${component}`, instance }
  const recent = new LRUCache<string, Entry>({ max: MOST_REMEMBERED })
  const buckets = new LRUCache<string, TokenBucket>({ max: MOST_REMEMBERED })
  const all = createTokenBucket(clock.elapsed, RATE)
  const queue: Entry[] = []
  /** counts to be written later, the earliest first */
  const later: { readonly entry: Entry; readonly at: number }[] = []
  const ending = new AbortController()
  let wake = new AbortController()
  let closing = false
  let running: Promise<void> | undefined
  let refused = false

  function bucketOf(about: ClusterEvent['about']): TokenBucket {
    const key = objectKey(about)
    const bucket = buckets.get(key) ?? createTokenBucket(clock.elapsed, OBJECT_RATE)
    buckets.set(key, bucket)
    return bucket
  }

  function record(event: ClusterEvent): void {
    const key = eventKey(event)
    const now = clock.now()
    const known = recent.get(key)
    if (known !== undefined && Math.abs(now - known.last) < SERIES_ENDS) {
      known.count += 1
      known.last = now
      if (!known.waiting) postpone(known)
      run()
      return
    }
    const object = bucketOf(event.about)
    const loss = queue.length >= LONGEST_QUEUE ? 'QueueFull' : 'ObjectRate'
    if (loss === 'QueueFull' || !object.take()) {
      onLoss?.(loss)
      return
    }
    const counted = { event, first: now, last: now, count: 1 }
    const entry: Entry = { ...counted, key, object, written: undefined, waiting: true }
    recent.set(key, entry)
    queue.push(entry)
    run()
  }

  function postpone(entry: Entry): void {
    entry.waiting = later.length < MOST_REMEMBERED
    if (entry.waiting) later.push({ entry, at: clock.elapsed() + SERIES_INTERVAL })
    else onLoss?.('QueueFull')
  }

  /** The next to be written now. */
  function next(): Entry | undefined {
    if (queue.length > 0) return queue.shift()
    while (later[0] !== undefined && (closing || later[0].at <= clock.elapsed())) {
      const { entry } = later.shift() as { entry: Entry }
      if (closing || entry.object.take()) return entry
      postpone(entry)
    }
    return undefined
  }

  async function write(entry: Entry): Promise<void> {
    const { signal } = ending
    entry.waiting = false
    try {
      if (entry.written !== undefined) {
        const patch = { type: 'merge', body: seriesOf(entry) } as const
        const found = await cluster
          .patch(EVENTS, entry.written, patch, { signal })
          .catch((error) => {
            if (hasReason(error, 'NotFound')) return undefined
            throw error
          })
        if (found !== undefined) return
      }
      const { metadata } = await cluster.create(EVENTS, eventObject(entry, reporter), { signal })
      entry.written = { namespace: metadata.namespace, name: metadata.name }
      refused = false
    } catch (error) {
      if (entry.written === undefined) recent.delete(entry.key)
      if (!refused) log?.warn({ err: error }, `events are lost: ${(error as Error).message}`)
      refused = true
      onLoss?.('Refused')
    }
  }

  async function work(): Promise<void> {
    while (!ending.signal.aborted) {
      const pause = closing ? 0 : all.wait()
      if (pause > 0) {
        await sleep(pause)
        continue
      }
      const entry = next()
      if (entry !== undefined) {
        all.take()
        await write(entry)
      } else if (later[0] === undefined) {
        return
      } else {
        await sleep(Math.max(1, later[0].at - clock.elapsed()))
      }
    }
  }

  function sleep(ms: number): Promise<void> {
    return clock.sleep(ms, wake.signal).catch(() => {})
  }

  function run(): void {
    running ??= Promise.resolve()
      .then(work)
      .finally(() => {
        running = undefined
        if (queue.length > 0 && !ending.signal.aborted) run()
      })
    // A new event need not wait for the next count.
    if (queue.length > 0) {
      const waiting = wake
      wake = new AbortController()
      waiting.abort()
    }
  }

  return {
    record(event) {
      try {
        if (!closing) record(event)
      } catch (error) {
        log?.error({ err: error }, 'an event could not be recorded')
      }
    },
    async close() {
      closing = true
      wake.abort()
      const timeout = new AbortController()
      const limit = clock.sleep(FLUSH_LIMIT, timeout.signal).catch(() => {})
      await Promise.race([running, limit])
      timeout.abort()
      ending.abort()
    },
  }
}
