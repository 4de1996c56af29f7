import type { Catalog, KnownManifest } from '../catalog/index.ts'
import type { FactFailure, FactSource } from '../decisions/ports.ts'
import { describeError } from '../errors.ts'
import type { RegistryClient } from '../registry/types.ts'
import { isUnreachable } from './failure_memory.ts'
import { notYet } from './failures.ts'
import { tagsToConfirm } from './interest.ts'
import { createRegistryRequests, type Timer } from './registry_requests.ts'
import { createSchedule } from './schedule.ts'
import { createSharedRequests } from './shared_requests.ts'

/** A list that is younger than this, in ms, is not read again because a tag of it is gone. */
const YOUNG = 60_000
/** Of so many repositories it is remembered that they fail, to tell it once. */
const MOST_FAILING = 10_000
/** Sleeping longer than this, in ms, would be wrong after the clock was set. */
const LONGEST_SLEEP = 60_000

/** The part of a logger (such as pino) that the scanner uses. */
export interface ScanLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface ScannerOptions {
  readonly catalog: Catalog
  readonly client: RegistryClient
  /** between two scans of a repository, in ms; each time 10 % more or less */
  readonly interval: number
  /** ms that a request has that somebody waits for; default 15 s */
  readonly timeLimit?: number
  /** ms that a scan in the background has; default 2 minutes */
  readonly scanTimeLimit?: number
  readonly log?: ScanLog | undefined
  readonly clock?: () => number
  readonly random?: () => number
  readonly timer?: Timer
}

/** Keeps the index true: asks registries at first use, on a clock, and when told to. */
export interface Scanner extends FactSource {
  /** These repositories, and no others, are scanned though nobody asks for them. */
  watch(names: Iterable<string>): void
  /**
   * Scans now, as when a registry says that something was pushed: the list of tags, then the
   * digests that are in use. A scan that runs already is followed by another.
   *
   * @returns why the list could not be read. Never rejects.
   */
  scanNow(name: string): Promise<FactFailure | undefined>
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
  const { catalog, client, interval, log } = options
  const { clock = Date.now, random = Math.random, timer = setUnreferencedTimer } = options
  const { timeLimit = 15_000, scanTimeLimit = 120_000 } = options
  const schedule = createSchedule({ interval, random })
  const scans = createSharedRequests<FactFailure | undefined>()
  const again = new Set<string>()
  const failing = new Set<string>()
  let ticking = false
  let cancelTick = () => {}
  const requests = createRegistryRequests({
    catalog,
    client,
    timeLimit,
    backgroundTimeLimit: scanTimeLimit,
    clock,
    timer,
    onScan(name, { failure, error, background }) {
      report(name, failure, error)
      // A name that the registry does not know may be a slip: it is not tried again and again.
      if (!background && (!failure || isUnreachable(failure))) use(name)
      schedule.finish(name, clock(), failure !== undefined)
      arm()
    },
  })

  function report(name: string, failure: FactFailure | undefined, error: unknown): void {
    const fields = { repository: name, code: failure?.code }
    if (failure && !failing.has(name) && failing.size < MOST_FAILING) {
      failing.add(name)
      log?.warn(fields, `${name} cannot be scanned: ${describeError(error)}`)
    } else if (failure) {
      log?.debug(fields, `${name} cannot be scanned: ${describeError(error)}`)
    } else if (failing.delete(name)) {
      log?.info(fields, `${name} can be scanned again`)
    } else {
      log?.debug({ ...fields, tags: catalog.get(name)?.tags.length }, `${name} is scanned`)
    }
  }

  function tick(): void {
    for (const name of schedule.take(clock())) void scan(name)
    arm()
  }

  function arm(): void {
    cancelTick()
    const next = ticking ? schedule.nextAt() : undefined
    if (next === undefined) return
    cancelTick = timer(tick, Math.min(LONGEST_SLEEP, Math.max(0, next - clock())))
  }

  function scan(name: string): Promise<FactFailure | undefined> {
    return scans.join(name, async () => {
      for (;;) {
        again.delete(name)
        const since = clock()
        const failure = await requests.askInBackground({ fact: 'repository', name })
        if (!failure) await confirmTags(name, since)
        if (!again.has(name)) return failure
      }
    })
  }

  async function confirmTags(name: string, since: number): Promise<void> {
    const manifests = tagsToConfirm(catalog.known(name), since)
    await Promise.all(manifests.map((manifest) => confirmTag(name, manifest)))
  }

  /** The platforms are asked for only when the tag has moved: those of a digest never change. */
  async function confirmTag(name: string, { tag, platforms }: KnownManifest): Promise<void> {
    const need = { fact: 'manifest', name, tag } as const
    const digest = () => catalog.get(name)?.history(tag).at(-1)?.digest
    const before = digest()
    const failure = await requests.askInBackground({ ...need, platforms: false })
    if (!failure && platforms && digest() !== before) {
      await requests.askInBackground({ ...need, platforms: true })
    }
  }

  function use(name: string): void {
    if (schedule.use(name, catalog.get(name)?.scannedAt ?? 0, clock())) arm()
  }

  /** A tag of the list is gone: the list is read anew, unless it is young. */
  function doubt(name: string, tag: string): void {
    const snapshot = catalog.get(name)
    if (snapshot?.has(tag) && clock() - snapshot.scannedAt > YOUNG) void scan(name)
  }

  return {
    snapshot(name) {
      const snapshot = catalog.get(name)
      if (snapshot) use(name)
      return snapshot
    },
    async gather(need, signal) {
      if (signal.aborted) return notYet(need, clock())
      try {
        const failure = await requests.ask(need, signal)
        const gone = failure?.code === 'ERR_REGISTRY_NOT_FOUND'
        if (gone && need.fact === 'manifest') doubt(need.name, need.tag)
        return failure
      } catch {
        return notYet(need, clock())
      }
    },
    watch(names) {
      schedule.watch(names, clock())
      arm()
    },
    scanNow(name) {
      again.add(name)
      return scan(name)
    },
    start() {
      ticking = true
      void catalog.load().then(() => {
        for (const name of catalog.names()) {
          schedule.adopt(name, catalog.get(name)?.scannedAt ?? 0, clock())
        }
        arm()
      })
      arm()
    },
    async stop() {
      ticking = false
      cancelTick()
      again.clear()
      await requests.stop()
      await scans.idle()
    },
  }
}

function setUnreferencedTimer(run: () => void, ms: number): () => void {
  const timeout = setTimeout(run, ms).unref()
  return () => clearTimeout(timeout)
}
