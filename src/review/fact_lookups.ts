import {
  type FactFailure,
  type FactNeed,
  type FactSource,
  hostOf,
  needKey,
} from '../decisions/index.ts'
import { unlessAborted, withinTime } from '../scheduling/index.ts'

/** A source that asks for each fact once in a run, and counts. */
export interface FactLookups extends FactSource {
  /** how many facts were asked for, and how many of them are there or failed */
  readonly count: () => { readonly asked: number; readonly answered: number }
}

/** So many answers are waited for at once. */
const AT_ONCE = 64
/** A look-up may take this long once it is its turn, in ms. */
const PATIENCE = 20_000
/** A registry that fails so often in a row, and never answers, is not asked again in this run. */
const HOPELESS = 4
const UNREACHABLE: ReadonlySet<string> = new Set([
  'ERR_REGISTRY_UNREACHABLE',
  'ERR_REGISTRY_TIMEOUT',
])

/**
 * Asks the source for each fact once, however many files need it: what failed for one fails for
 * all, in the same words.
 *
 * @param signal nothing more is asked for after it
 */
export function createFactLookups(source: FactSource, signal: AbortSignal): FactLookups {
  const known = new Map<string, Promise<FactFailure | undefined>>()
  const failing = new Map<string, { count: number; last: FactFailure }>()
  const waiting: (() => void)[] = []
  let running = 0
  let answered = 0

  async function ask(need: FactNeed): Promise<FactFailure | undefined> {
    if (running < AT_ONCE) running += 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      const host = hostOf(need)
      const hopeless = failing.get(host)
      if (hopeless && hopeless.count >= HOPELESS) return hopeless.last
      const failure = await withinTime(PATIENCE, signal, (until) =>
        // not every source heeds a signal
        unlessAborted(source.gather(need, until), until).catch((error) => {
          if (!until.aborted) throw error
          return unanswered(host)
        }),
      )
      if (failure && UNREACHABLE.has(failure.code)) {
        failing.set(host, { count: (failing.get(host)?.count ?? 0) + 1, last: failure })
      } else {
        failing.delete(host)
      }
      return failure
    } finally {
      answered += 1
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }

  return {
    snapshot: (name) => source.snapshot(name),
    // The patience of whoever asks does not count: a fact has its own time, from its turn on.
    gather(need) {
      const key = needKey(need)
      const answer = known.get(key) ?? ask(need)
      known.set(key, answer)
      return answer
    },
    count: () => ({ asked: known.size, answered }),
  }
}

function unanswered(host: string): FactFailure {
  return { code: 'ERR_REGISTRY_TIMEOUT', message: `${host} did not answer in time`, at: Date.now() }
}

/**
 * The facts of workloads that know repositories under keys of their own, such as those of a
 * namespace that reads one by a Secret.
 *
 * @param keyOf key of a normalised name
 */
export function keyedSource(source: FactSource, keyOf: (name: string) => string): FactSource {
  return {
    snapshot: (name) => source.snapshot(keyOf(name)),
    gather: (need, signal) => source.gather({ ...need, name: keyOf(need.name) }, signal),
  }
}

/**
 * A source that may not ask any registry: what the index lacks is told as lacking.
 *
 * @param snapshot what the index holds
 */
export function offlineSource(
  snapshot: FactSource['snapshot'],
  clock: () => number = Date.now,
): FactSource {
  return {
    snapshot,
    gather: async (need) => {
      const what = need.fact === 'repository' ? need.name : `${need.name}:${need.tag}`
      const message = `the index does not have ${what}, and --offline forbids to ask the registry`
      return { code: 'ERR_REGISTRY_UNREACHABLE', message, at: clock() }
    },
  }
}
