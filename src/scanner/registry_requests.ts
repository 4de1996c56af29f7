import type { Catalog } from '../catalog/index.ts'
import { type FactFailure, type FactNeed, needKey } from '../decisions/ports.ts'
import type { RegistryClient } from '../registry/types.ts'
import { createFailureMemory } from './failure_memory.ts'
import { describeFailure, hostOf, stopped, tooSlow } from './failures.ts'
import { createHostQueue, HostBusyError, unlessAborted } from './host_queue.ts'
import { createSharedRequests } from './shared_requests.ts'

/** Runs something later; the function that it gives cancels that. */
export type Timer = (run: () => void, ms: number) => () => void

/** Asks the registry for facts and puts the answers into the catalog. */
export interface RegistryRequests {
  /**
   * Somebody waits. A failure of a moment ago is the answer; equal requests are one.
   *
   * @throws the signal's reason when it aborts, and nothing else; the request goes on
   */
  ask(need: FactNeed, signal: AbortSignal): Promise<FactFailure | undefined>
  /** Nobody waits: it takes its turn behind the others, and then has more time. Never rejects. */
  askInBackground(need: FactNeed): Promise<FactFailure | undefined>
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
  /** a list of tags was asked for */
  readonly onScan: (name: string, scan: Scan) => void
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
  const { catalog, client, clock, timer, onScan } = options
  const queue = createHostQueue()
  const failures = createFailureMemory()
  const shared = createSharedRequests<FactFailure | undefined>()
  const running = new Set<AbortController>()
  const stopping = new AbortController()

  async function fetchFact(need: FactNeed, signal: AbortSignal): Promise<void> {
    const { name } = need
    if (need.fact === 'repository') {
      const at = clock()
      const tags = await client.listTags(name, { signal })
      if (!signal.aborted) catalog.recordTags(name, tags, at)
    } else {
      const { tag, platforms } = need
      const description = await client.resolve(name, tag, { signal, platforms })
      if (!signal.aborted) catalog.recordManifest(name, tag, description, clock())
    }
  }

  async function attempt(need: FactNeed, background: boolean): Promise<FactFailure | undefined> {
    const limit = background ? options.backgroundTimeLimit : options.timeLimit
    const controller = new AbortController()
    const { signal } = controller
    const cancel = timer(() => controller.abort(tooSlow(need, limit)), limit)
    const work = () => fetchFact(need, signal)
    running.add(controller)
    try {
      // What runs in the background has its place already.
      if (background) await unlessAborted(work(), signal)
      else await queue.run(hostOf(need), false, signal, work)
      failures.forget(need)
      if (need.fact === 'repository') onScan(need.name, { failure: undefined, background })
      return undefined
    } catch (error) {
      return fail(need, error, background)
    } finally {
      running.delete(controller)
      cancel()
    }
  }

  function fail(need: FactNeed, error: unknown, background: boolean): FactFailure {
    if (stopping.signal.aborted) return stopped(clock())
    const failure = describeFailure(need, error, clock())
    // The queue itself answers the next one as fast, and a burst would fill the memory.
    if (error instanceof HostBusyError) return failure
    failures.remember(need, failure)
    if (need.fact === 'repository') {
      catalog.recordFailure(need.name, failure)
      onScan(need.name, { failure, error, background })
    } else if (failure.code === 'ERR_REGISTRY_NOT_FOUND') {
      catalog.recordMissing(need.name, need.tag, failure.at)
    }
    return failure
  }

  return {
    async ask(need, signal) {
      const known = failures.recall(need, clock())
      if (known || stopping.signal.aborted) return known ?? stopped(clock())
      return shared.join(needKey(need), () => attempt(need, false), signal)
    },
    async askInBackground(need) {
      try {
        return await queue.run(hostOf(need), true, stopping.signal, async () => {
          // A scan has its own pace; what comes after it need not meet the same failure again.
          const known = need.fact === 'manifest' && failures.recall(need, clock())
          return known ? known : shared.join(needKey(need), () => attempt(need, true))
        })
      } catch {
        return stopped(clock())
      }
    },
    async stop() {
      stopping.abort(new Error('stopped'))
      for (const controller of running) controller.abort(new Error('stopped'))
      await shared.idle()
    },
  }
}
