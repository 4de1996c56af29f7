import { accessOfKey, type Catalog, nameOfKey } from '../catalog/index.ts'
import { type FactFailure, type FactNeed, needKey } from '../decisions/ports.ts'
import { workWhile } from '../pieces/index.ts'
import type { RegistryAccess, RegistryClient } from '../registry/types.ts'
import { inSlices, type Timer, unlessAborted } from '../scheduling/index.ts'
import { createFailureMemory } from './failure_memory.ts'
import {
  describeFailure,
  excluded,
  queueOf,
  stopped,
  tooBusy,
  tooSlow,
  withoutAccess,
} from './failures.ts'
import { createHostQueue, MOST_WAITING } from './host_queue.ts'
import type { ScanSettings } from './scan_settings.ts'
import { createSharedRequests } from './shared_requests.ts'

/**
 * Asks the registry for facts and puts the answers into the catalog. The name in a need is a key
 * of the catalog. What one version of an access was told is never recorded for another.
 */
export interface RegistryRequests {
  /**
   * Somebody waits. A failure of a moment ago is the answer; equal requests are one.
   *
   * @throws the signal's reason when it aborts, and nothing else; the request goes on
   */
  ask(need: FactNeed, signal: AbortSignal): Promise<FactFailure | undefined>
  /** Nobody waits: it takes its turn behind the others, and then has more time. Never rejects. */
  askInBackground(need: FactNeed): Promise<FactFailure | undefined>
  /** What failed of these repositories a moment ago is asked again. */
  forgetFailures(concerned: (key: string) => boolean): void
  /** Aborts all that runs, and waits for its end. */
  stop(): Promise<void>
}

export interface RegistryRequestsOptions {
  readonly catalog: Catalog
  readonly client: RegistryClient
  /** ms that a request has that somebody waits for, the wait for its turn included */
  readonly timeLimit: number
  /** ms that a request in the background has, once it runs */
  readonly backgroundTimeLimit: number
  readonly clock: () => number
  readonly timer: Timer
  /** what is held now of an access */
  readonly access: (id: string) => RegistryAccess | undefined
  readonly settings: (key: string) => ScanSettings | undefined
  readonly measure?: ScanMeasure | undefined
  /** a list of tags was asked for */
  readonly onScan: (key: string, scan: Scan) => void
  /** a tag has another manifest than was known, or none */
  readonly onManifest: (key: string) => void
}

/** Told how long things took, in ms. */
export interface ScanMeasure {
  /** a list of tags was read, or could not be */
  scanned(outcome: 'succeeded' | 'failed', ms: number): void
  /** so long a request waited for its turn at its registry, whether or not that came */
  waited(ms: number): void
}

/** How a request for a list of tags ended. */
export interface Scan {
  readonly failure: FactFailure | undefined
  /** what made it fail */
  readonly error?: unknown
  /** whether nobody waited for it */
  readonly background: boolean
}

export function createRegistryRequests(options: RegistryRequestsOptions): RegistryRequests {
  const { catalog, client, clock, timer, measure, onScan } = options
  const queue = createHostQueue()
  const failures = createFailureMemory()
  const shared = createSharedRequests<FactFailure | undefined>()
  const running = new Set<AbortController>()
  const stopping = new AbortController()

  function accessFor(key: string): RegistryAccess | undefined {
    const id = accessOfKey(key)
    const access = id === undefined ? undefined : options.access(id)
    if (id !== undefined && access === undefined) throw withoutAccess(key)
    return access
  }

  /** Changes when the access does; empty for the installation's own and for one that is gone. */
  function versionOf(key: string): string {
    const id = accessOfKey(key)
    return (id !== undefined && options.access(id)?.version) || ''
  }

  async function fetchFact(need: FactNeed, signal: AbortSignal): Promise<void> {
    const { name: key } = need
    const access = accessFor(key)
    const name = nameOfKey(key)
    const excludes = options.settings(key)?.excludes
    const isCurrent = () => !signal.aborted && versionOf(key) === (access?.version ?? '')
    if (need.fact === 'repository') {
      const at = clock()
      const tags = await client.listTags(name, { signal, access, excludes })
      const recording = catalog.recordingTags(key, tags, at, access?.version)
      await inSlices(key, workWhile(isCurrent, recording))
    } else {
      const { tag, platforms } = need
      if (excludes?.(tag)) throw excluded(name, tag)
      const description = await client.resolve(name, tag, { signal, platforms, access })
      if (!isCurrent()) return
      noteChange(key, () => catalog.recordManifest(key, tag, description, clock(), access?.version))
    }
  }

  function noteChange(key: string, record: () => void): void {
    const before = catalog.get(key)?.revision
    record()
    if (catalog.get(key)?.revision !== before) options.onManifest(key)
  }

  async function attempt(need: FactNeed, background: boolean): Promise<FactFailure | undefined> {
    const version = versionOf(need.name)
    const failure = await attemptOnce(need, background, version)
    // Other credentials came meanwhile: what the old ones got says nothing.
    const outdated = versionOf(need.name) !== version && !stopping.signal.aborted
    return outdated ? attempt(need, background) : failure
  }

  async function attemptOnce(
    need: FactNeed,
    background: boolean,
    version: string,
  ): Promise<FactFailure | undefined> {
    const limit = limitOf(need.name, background)
    const controller = new AbortController()
    const { signal } = controller
    const cancel = timer(() => controller.abort(tooSlow(need, limit)), limit)
    const asked = clock()
    let begun: number | undefined
    const work = () => {
      begun = clock()
      if (!background) measure?.waited(begun - asked)
      return fetchFact(need, signal)
    }
    const measured = (outcome: 'succeeded' | 'failed') => {
      if (need.fact === 'repository' && begun !== undefined) {
        measure?.scanned(outcome, clock() - begun)
      }
    }
    running.add(controller)
    try {
      // What runs in the background has its place already.
      if (background) await unlessAborted(work(), signal)
      else await queue.run(queueOf(need), false, signal, work)
      if (versionOf(need.name) !== version) return undefined
      failures.forget(need)
      measured('succeeded')
      if (need.fact === 'repository') onScan(need.name, { failure: undefined, background })
      return undefined
    } catch (error) {
      measured('failed')
      return fail(need, error, background, version)
    } finally {
      if (begun === undefined && !background) measure?.waited(clock() - asked)
      running.delete(controller)
      cancel()
    }
  }

  function limitOf(key: string, background: boolean): number {
    const own = options.settings(key)?.timeout
    if (background) return own ?? options.backgroundTimeLimit
    return Math.min(own ?? options.timeLimit, options.timeLimit)
  }

  function fail(need: FactNeed, error: unknown, background: boolean, version: string): FactFailure {
    if (stopping.signal.aborted) return stopped(clock())
    const failure = describeFailure(need, error, clock())
    if (versionOf(need.name) !== version) return failure
    failures.remember(need, failure)
    if (need.fact === 'repository') {
      catalog.recordFailure(need.name, failure)
      onScan(need.name, { failure, error, background })
    } else if (failure.code === 'ERR_REGISTRY_NOT_FOUND') {
      const { name, tag } = need
      noteChange(name, () => catalog.recordMissing(name, tag, clock()))
    }
    return failure
  }

  const keyOf = (need: FactNeed) => `${needKey(need)} ${versionOf(need.name)}`

  return {
    async ask(need, signal) {
      const known = failures.recall(need, clock())
      if (known || stopping.signal.aborted) return known ?? stopped(clock())
      const key = keyOf(need)
      // Before anything is made for it: a registry that hangs is asked thousands of times a second.
      if (queue.isFull(queueOf(need)) && !shared.has(key)) {
        return tooBusy(need, MOST_WAITING, clock())
      }
      return shared.join(key, () => attempt(need, false), signal)
    },
    async askInBackground(need) {
      const asked = clock()
      try {
        return await queue.run(queueOf(need), true, stopping.signal, async () => {
          measure?.waited(clock() - asked)
          // A scan has its own pace; what comes after it need not meet the same failure again.
          const known = need.fact === 'manifest' && failures.recall(need, clock())
          return known ? known : shared.join(keyOf(need), () => attempt(need, true))
        })
      } catch {
        return stopped(clock())
      }
    },
    forgetFailures: failures.forgetAll,
    async stop() {
      stopping.abort(new Error('stopped'))
      for (const controller of running) controller.abort(new Error('stopped'))
      await shared.idle()
    },
  }
}
