import type { Access } from './access.ts'
import type { Asking } from './asking.ts'
import { type ClusterClock, chancePause } from './clock.ts'
import { ClusterError } from './cluster_error.ts'
import { type WatchEvent, watchEvents } from './event_stream.ts'
import { listPages, presentVersion } from './listing.ts'
import type { ClusterLog } from './log.ts'
import type { Outage } from './outage.ts'
import { keyText, pathOf } from './path.ts'
import type {
  KubernetesObject,
  ListOptions,
  ObjectKey,
  ResourceName,
  WatchHandlers,
  Watching,
} from './types.ts'

/** What all watches of a cluster share. */
export interface WatchContext {
  readonly server: string
  readonly access: Access
  readonly asking: Asking
  readonly clock: ClusterClock
  readonly outage: Outage
  readonly log: ClusterLog | undefined
}

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
/** Between two questions of one who has no right to ask, or for what is not served. */
const REFUSED_PAUSE_MS = 60_000
/** A watch that lasted so long has worked. */
const LONG_ENOUGH_MS = 10_000
/** After so many failures in a row the version itself is in doubt. */
const DOUBTFUL = 5
const SHORTEST_WATCH_S = 300
/** Bookmarks come every minute or two; after so long a silence the connection is dead. */
const SILENCE_MS = 210_000
const GRACE_MS = 30_000

/**
 * Lists, then watches from the version of the list, for as long as it is not closed. Of each
 * object only key and version are kept, to tell after a new list what is different.
 */
export function startWatch<T extends KubernetesObject>(
  context: WatchContext,
  resource: ResourceName,
  options: ListOptions,
  handlers: WatchHandlers<T>,
): Watching {
  const { clock, outage, log } = context
  const { namespace, labelSelector, fieldSelector } = options
  const where = namespace === undefined ? '' : ` in ${namespace}`
  const what = `watch ${resource.plural}${where}`
  const closing = new AbortController()
  const { signal } = closing
  const told = new Map<string, string>()
  const synced = Promise.withResolvers<void>()
  let isSynced = false
  let inTrouble = false
  let sendsBookmarks = false
  let version: string | undefined
  let streaming = false
  let failures = 0
  let isRefused = false
  let wasAway = false

  function tell(handler: () => void): void {
    try {
      handler()
    } catch (error) {
      log?.error({ err: error, resource: resource.plural }, `what was told by ${what} failed`)
    }
  }

  function upsert(object: T): void {
    const key = keyText(object.metadata)
    const { resourceVersion = '' } = object.metadata
    if (told.get(key) === resourceVersion) return
    told.set(key, resourceVersion)
    tell(() => handlers.upsert(object))
  }

  function remove(key: string): void {
    if (told.delete(key)) tell(() => handlers.remove(keyOfText(key)))
  }

  function works(): void {
    if (inTrouble) tell(() => handlers.recovered?.())
    inTrouble = false
    isRefused = false
  }

  function troubled(error: Error): void {
    if (!inTrouble) tell(() => handlers.problem?.(error))
    inTrouble = true
  }

  async function list(): Promise<string> {
    const left = new Set(told.keys())
    let from = ''
    const pages = listPages<T>(context.asking, resource, { ...options, signal })
    for await (const { items, resourceVersion } of pages) {
      if (signal.aborted) return from
      from = resourceVersion
      for (const object of items) {
        left.delete(keyText(object.metadata))
        upsert(object)
      }
    }
    for (const key of left) remove(key)
    if (!isSynced) {
      isSynced = true
      synced.resolve()
    }
    return from
  }

  function follow(event: WatchEvent<T>): void {
    const { type, object } = event
    if (type === 'BOOKMARK') sendsBookmarks = true
    else if (type === 'DELETED') remove(keyText(object.metadata))
    else upsert(object)
    version = object.metadata.resourceVersion
  }

  async function stream(): Promise<void> {
    sendsBookmarks = false
    const timeoutSeconds = Math.round(SHORTEST_WATCH_S * (1 + Math.random()))
    const query = {
      watch: 1,
      allowWatchBookmarks: true,
      resourceVersion: version,
      timeoutSeconds,
      labelSelector,
      fieldSelector,
    }
    const events = watchEvents<T>({
      what,
      path: pathOf(resource, { namespace }, { query }),
      server: context.server,
      access: context.access,
      signal,
      silence: () => (sendsBookmarks ? SILENCE_MS : timeoutSeconds * 1000 + GRACE_MS),
    })
    for await (const batch of events) {
      streaming = true
      works()
      if (wasAway && (await isOfTheFuture(version ?? ''))) version = undefined
      wasAway = false
      if (version === undefined) return
      for (const event of batch) {
        if (signal.aborted) return
        follow(event)
      }
    }
  }

  /**
   * Whether the API server is not that far yet: its etcd was restored from a backup. A watch from
   * such a version is agreed to, and tells nothing until as much has been written again.
   */
  async function isOfTheFuture(mine: string): Promise<boolean> {
    const theirs = await presentVersion(context.asking, resource, { ...options, signal })
    return [mine, theirs].every((each) => /^\d+$/.test(each)) && BigInt(theirs) < BigInt(mine)
  }

  /** Whether it went well. */
  async function turn(): Promise<boolean> {
    streaming = false
    try {
      version ??= await list()
      const start = clock.elapsed()
      await stream()
      return clock.elapsed() - start >= LONG_ENOUGH_MS
    } catch (error) {
      if (!signal.aborted) recover(error as Error)
      return false
    }
  }

  function recover(error: Error): void {
    const { answer = 0, reason = '' } = error instanceof ClusterError ? error : {}
    const busy = answer === 0 || answer === 429 || answer >= 500
    const doubtful = answer >= 500 && failures % DOUBTFUL === DOUBTFUL - 1
    if (!busy || doubtful) version = undefined
    const wasRefused = isRefused
    isRefused = [401, 403, 404].includes(answer)
    // After an outage the API server refuses everything until it has read the roles.
    if (isRefused && !wasRefused) failures = 0
    if (answer === 0) outage.noteAway()
    // A connection that breaks is no news before the next one fails; an old version never is.
    if (answer === 410 || (answer === 0 && streaming)) {
      log?.debug({ resource: resource.plural, reason }, `${what}: ${error.message}`)
    } else {
      troubled(error)
      wasAway ||= busy
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      failures = (await turn()) ? 0 : failures + 1
      if (failures === 0 || signal.aborted) continue
      const longest = isRefused ? REFUSED_PAUSE_MS : LONGEST_PAUSE_MS
      const pause = chancePause(failures, FIRST_PAUSE_MS, longest)
      await outage.sleep(pause, signal)
    }
  }

  const running = run()
  const close = () => {
    closing.abort()
    return running
  }
  return { synced: synced.promise, isSynced: () => isSynced, close }
}

function keyOfText(key: string): ObjectKey {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
