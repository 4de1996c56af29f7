import type { Catalog } from '../catalog/index.ts'
import { type FactFailure, type FactNeed, needKey } from '../decisions/ports.ts'
import type { RegistryClient } from '../registry/types.ts'
import { createFailureMemory } from './failure_memory.ts'
import { describeFailure, hostOf, stopped, tooSlow } from './failures.ts'
import { createHostQueue } from './host_queue.ts'
import { createSharedRequests, unlessAborted } from './shared_requests.ts'

/** Runs something later; the function that it gives cancels that. */
export type Timer = (run: () => void, ms: number) => () => void

/** Asks the registry for facts and puts the answers into the catalog. Never rejects. */
export interface RegistryRequests {
  /** Somebody waits. A failure of a moment ago is the answer; equal requests are one. */
  ask(need: FactNeed): Promise<FactFailure | undefined>
  /** Nobody waits: it takes its turn behind the others, and then has more time. */
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
  /** a list of tags was asked for; `error` is what made it fail */
  readonly onScan: (name: string, failure: FactFailure | undefined, error: unknown) => void
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

  /** Makes one request, `through` the queue or not, within a time limit. */
  async function attempt(
    need: FactNeed,
    limit: number,
    through: (signal: AbortSignal, work: () => Promise<void>) => Promise<void>,
  ): Promise<FactFailure | undefined> {
    const controller = new AbortController()
    const { signal } = controller
    const cancel = timer(() => controller.abort(tooSlow(need, limit)), limit)
    running.add(controller)
    try {
      await through(signal, () => fetchFact(need, signal))
      failures.forget(need)
      if (need.fact === 'repository') onScan(need.name, undefined, undefined)
      return undefined
    } catch (error) {
      return fail(need, error)
    } finally {
      running.delete(controller)
      cancel()
    }
  }

  function fail(need: FactNeed, error: unknown): FactFailure {
    if (stopping.signal.aborted) return stopped(clock())
    const failure = describeFailure(need, error, clock())
    failures.remember(need, failure)
    if (need.fact === 'repository') {
      catalog.recordFailure(need.name, failure)
      onScan(need.name, failure, error)
    } else if (failure.code === 'ERR_REGISTRY_NOT_FOUND') {
      catalog.recordMissing(need.name, need.tag)
    }
    return failure
  }

  return {
    async ask(need) {
      const known = failures.recall(need, clock())
      if (known || stopping.signal.aborted) return known ?? stopped(clock())
      return shared.join(needKey(need), () =>
        attempt(need, options.timeLimit, (signal, work) =>
          queue.run(hostOf(need), false, signal, work),
        ),
      )
    },
    async askInBackground(need) {
      try {
        return await queue.run(hostOf(need), true, stopping.signal, async () => {
          // A scan has its own pace; what comes after it need not meet the same failure again.
          const known = need.fact === 'manifest' && failures.recall(need, clock())
          return known
            ? known
            : shared.join(needKey(need), () =>
                attempt(need, options.backgroundTimeLimit, (signal, work) =>
                  unlessAborted(work(), signal),
                ),
              )
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
