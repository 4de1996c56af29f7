import { accessOfKey, type Catalog, type KnownManifest } from '../catalog/index.ts'
import type { FactFailure, FactNeed, FactSource, RepositorySnapshot } from '../decisions/ports.ts'
import type { RegistryAccess, RegistryClient } from '../registry/types.ts'
import { setUnreferencedTimer, type Timer } from '../scheduling/index.ts'
import { isUnreachable } from './failure_memory.ts'
import { notYet } from './failures.ts'
import { tagsToConfirm } from './interest.ts'
import { createRegistryRequests, type ScanMeasure } from './registry_requests.ts'
import { createScanReport, type ScanLog } from './scan_report.ts'
import type { ScanSettings } from './scan_settings.ts'
import { createSchedule } from './schedule.ts'
import { createSharedRequests } from './shared_requests.ts'
import { createView } from './view.ts'

/** A list that is younger than this, in ms, is not read again because a tag of it is gone. */
const YOUNG = 60_000
/** Sleeping longer than this, in ms, would be wrong after the clock was set. */
const LONGEST_SLEEP = 60_000
/** Between two looks at what is due, in ms: each goes through all that there is. */
const TICKS_APART = 50

export interface ScannerOptions {
  readonly catalog: Catalog
  readonly client: RegistryClient
  /** between two scans of a repository, in ms; each time 10 % more or less */
  readonly interval: number
  /**
   * What is held of an access now; undefined: nothing that can be used. Keys and views refer to
   * accesses by their id, so that a secret that has changed is never used any more.
   */
  readonly access?: ((id: string) => RegistryAccess | undefined) | undefined
  /** ms that a request has that somebody waits for; default 15 s */
  readonly timeLimit?: number
  /** ms that a scan in the background has; default 2 minutes */
  readonly scanTimeLimit?: number
  readonly log?: ScanLog | undefined
  readonly measure?: ScanMeasure | undefined
  readonly clock?: () => number
  readonly random?: () => number
  readonly timer?: Timer
}

/**
 * Told of each list of tags that was asked for, and of each tag that has another manifest than was
 * known. Must not throw.
 *
 * @param snapshot what is known now, of whichever version of the access; undefined: nothing
 * @param failure why the list could not be read; undefined: it was
 */
export type ScanListener = (
  key: string,
  snapshot: RepositorySnapshot | undefined,
  failure: FactFailure | undefined,
) => void

/**
 * Keeps the index true: asks registries at first use, on a clock, and when told to.
 *
 * Repositories go by their keys (`repositoryKey()` of the catalog): the scanner itself, as a
 * source, answers for the installation's own access; for any other there is view().
 */
export interface Scanner extends FactSource {
  /**
   * What one reader may see. Each name leads to the facts that the access given for it has read,
   * and to no others: not even to what an earlier version of that access has read.
   *
   * @param accessOf how this reader reads a repository; undefined: as the installation does. Its
   *   accesses must be those that `ScannerOptions.access` gives for their ids.
   */
  view(accessOf: (name: string) => RegistryAccess | undefined): FactSource
  /** These repositories, and no others, are scanned though nobody asks for them. */
  watch(keys: Iterable<string>): void
  /** How a repository is scanned from now on; undefined: as all are. Does not watch it. */
  configure(key: string, settings: ScanSettings | undefined): void
  /**
   * Scans now, as when a registry says that something was pushed: the list of tags, then the
   * digests that are in use. A scan that runs already is followed by another.
   *
   * @returns why the list could not be read. Never rejects.
   */
  scanNow(key: string): Promise<FactFailure | undefined>
  /**
   * Asks again for the digests of a repository that nobody has confirmed since, as a scan does after
   * the list: for a follower, which is told of lists, and knows digests that the leader does not.
   *
   * @param since ms since the epoch
   * @returns when they are known, or can't be. Never rejects.
   */
  confirm(key: string, since: number): Promise<void>
  /** @returns ends it */
  onScanned(listener: ScanListener): () => void
  /**
   * All that was known of a repository is gone, as when the Secret that read it is.
   *
   * @returns ends it
   */
  onForgotten(listener: (key: string) => void): () => void
  /**
   * An access has changed, or is gone. What failed with it is asked again; what one that is gone
   * has read is forgotten; the rest counts again once the registry has answered the new version, which the one
   * that scans on the clock asks at once.
   *
   * @param accessId undefined: the installation's own
   */
  renew(accessId: string | undefined): void
  /**
   * Forgets what accesses have read that are not there any more, as after a restart. To be called
   * once all accesses are known.
   */
  prune(): Promise<void>
  /**
   * How late the repository is that should have been scanned longest ago, in ms; undefined where
   * it is others who scan on the clock.
   */
  overdue(): number | undefined
  /** Drops a repository: facts, plans, settings. */
  forget(key: string): void
  /**
   * Whether it scans on its clock, once started; at first it does. A follower of the one that leads
   * answers at demand only. One that begins again does not repeat scans whose results it has got
   * otherwise.
   */
  setScheduled(scheduled: boolean): void
  /** Begins to scan on the clock; until then, and without it, only what is asked for is read. */
  start(): void
  /** Aborts what runs, waits for its end, and answers nothing more from the registry. */
  stop(): Promise<void>
}

/**
 * Makes the scanner. Equal requests are one; each host has a limit of requests at once; what
 * failed is not asked again for some seconds. The timer does not keep the process alive.
 *
 * @example
 *   const scanner = createScanner({ catalog, client, interval: 600_000 })
 *   scanner.start()
 *   await scanner.gather({ fact: 'repository', name: 'ghcr.io/acme/web' }, AbortSignal.timeout(8_000))
 *   scanner.snapshot('ghcr.io/acme/web')?.tags // ['v1.4.2', …]
 */
export function createScanner(options: ScannerOptions): Scanner {
  const { catalog, client, interval, log, access = () => undefined } = options
  const { clock = Date.now, random = Math.random, timer = setUnreferencedTimer } = options
  const { timeLimit = 15_000, scanTimeLimit = 120_000 } = options
  const settings = new Map<string, ScanSettings>()
  const schedule = createSchedule({ interval, random, pace: (key) => settings.get(key) })
  const scans = createSharedRequests<FactFailure | undefined>()
  const listeners = new Set<ScanListener>()
  const forgetters = new Set<(key: string) => void>()
  const again = new Set<string>()
  const report = createScanReport(catalog, log)
  let started = false
  let scheduled = true
  let cancelTick = () => {}
  let tickAt = Number.POSITIVE_INFINITY
  let tickedAt = Number.NEGATIVE_INFINITY
  const requests = createRegistryRequests({
    catalog,
    client,
    timeLimit,
    backgroundTimeLimit: scanTimeLimit,
    clock,
    timer,
    access,
    settings: (key) => settings.get(key),
    measure: options.measure,
    onScan(key, { failure, error, background }) {
      report.scanned(key, failure, error)
      // A name that the registry does not know may be a slip: it is not tried again and again.
      if (!background && (!failure || isUnreachable(failure))) use(key)
      const next = schedule.finish(key, clock(), failure !== undefined)
      if (next !== undefined && next < tickAt) arm()
      tell(key, failure)
    },
    onManifest: (key) => tell(key, undefined),
  })

  function tell(key: string, failure: FactFailure | undefined): void {
    for (const listener of listeners) listener(key, catalog.get(key), failure)
  }

  function forgetFacts(key: string): void {
    catalog.forget(key)
    for (const listener of forgetters) listener(key)
  }

  const isTicking = () => started && scheduled

  function tick(): void {
    tickedAt = clock()
    for (const key of schedule.take(clock())) void scan(key)
    arm()
  }

  function arm(): void {
    cancelTick()
    tickAt = Number.POSITIVE_INFINITY
    const next = isTicking() ? schedule.nextAt() : undefined
    if (next === undefined) return
    const now = clock()
    tickAt = Math.min(now + LONGEST_SLEEP, Math.max(now, tickedAt + TICKS_APART, next))
    cancelTick = timer(tick, tickAt - now)
  }

  function scan(key: string): Promise<FactFailure | undefined> {
    return scans.join(key, async () => {
      for (;;) {
        again.delete(key)
        const since = clock()
        const failure = await requests.askInBackground({ fact: 'repository', name: key })
        if (!failure) await confirmTags(key, since)
        if (!again.has(key)) return failure
      }
    })
  }

  async function confirmTags(key: string, since: number): Promise<void> {
    const manifests = tagsToConfirm(catalog.known(key), since, clock())
    await Promise.all(manifests.map((manifest) => confirmTag(key, manifest)))
  }

  /** The platforms are asked for only when the tag has moved: those of a digest never change. */
  async function confirmTag(key: string, { tag, platforms }: KnownManifest): Promise<void> {
    const need = { fact: 'manifest', name: key, tag } as const
    const digest = () => catalog.get(key)?.history(tag).at(-1)?.digest
    const before = digest()
    const failure = await requests.askInBackground({ ...need, platforms: false })
    if (!failure && platforms && digest() !== before) {
      await requests.askInBackground({ ...need, platforms: true })
    }
  }

  function use(key: string): void {
    if (schedule.use(key, lastScan(key), clock())) arm()
  }

  function lastScan(key: string): number {
    return catalog.get(key)?.scannedAt ?? 0
  }

  /** A tag of the list is gone: the list is read anew, unless it is young. */
  function doubt(key: string, tag: string): void {
    const snapshot = catalog.get(key)
    if (snapshot?.has(tag) && clock() - snapshot.scannedAt > YOUNG) void scan(key)
  }

  function look(key: string, readWith?: string): RepositorySnapshot | undefined {
    const snapshot = catalog.get(key, readWith)
    if (snapshot) use(key)
    return snapshot
  }

  async function gather(need: FactNeed, signal: AbortSignal): Promise<FactFailure | undefined> {
    if (signal.aborted) return notYet(need, clock())
    try {
      const failure = await requests.ask(need, signal)
      const gone = failure?.code === 'ERR_REGISTRY_NOT_FOUND'
      if (gone && need.fact === 'manifest') doubt(need.name, need.tag)
      return failure
    } catch {
      return notYet(need, clock())
    }
  }

  function scanNow(key: string): Promise<FactFailure | undefined> {
    again.add(key)
    return scan(key)
  }

  return {
    snapshot: (key) => look(key),
    gather,
    view: (accessOf) => createView(accessOf, look, gather),
    watch(keys) {
      schedule.watch(keys, clock())
      arm()
    },
    configure(key, next) {
      if (next) settings.set(key, next)
      else settings.delete(key)
      schedule.hasten(key, clock())
      arm()
    },
    scanNow,
    confirm: confirmTags,
    onScanned(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onForgotten(listener) {
      forgetters.add(listener)
      return () => forgetters.delete(listener)
    },
    renew(accessId) {
      const isConcerned = (key: string) => accessOfKey(key) === accessId
      const gone = accessId !== undefined && access(accessId) === undefined
      requests.forgetFailures(isConcerned)
      for (const key of catalog.keys()) {
        if (!isConcerned(key)) continue
        if (gone) forgetFacts(key)
        else if (isTicking() && schedule.has(key)) void scanNow(key)
      }
    },
    async prune() {
      await catalog.load()
      for (const key of catalog.keys()) {
        const id = accessOfKey(key)
        if (id !== undefined && access(id) === undefined) forgetFacts(key)
      }
    },
    forget(key) {
      schedule.drop(key)
      settings.delete(key)
      report.forget(key)
      forgetFacts(key)
    },
    overdue: () => (isTicking() ? schedule.overdue(lastScan, clock()) : undefined),
    setScheduled(next) {
      if (next && !scheduled) schedule.replan(lastScan, clock())
      scheduled = next
      arm()
    },
    start() {
      started = true
      void catalog.load().then(() => {
        for (const key of catalog.keys()) schedule.adopt(key, lastScan(key), clock())
        arm()
      })
      arm()
    },
    async stop() {
      started = false
      cancelTick()
      again.clear()
      await requests.stop()
      await scans.idle()
    },
  }
}
