import { LRUCache } from 'lru-cache'
import { type FactFailure, type FactNeed, needKey } from '../decisions/ports.ts'
import type { ErrorCode } from '../errors.ts'
import { backoff } from '../scheduling/index.ts'

/** A failure is answered from memory this long, in ms; twice as long each time, up to the limit. */
const FIRST = 5_000
const LONGEST = 60_000
/** For this long, in ms: that something is not there is an answer, which may change soon. */
const NOT_FOUND = 10_000
/** Failures of so many needs are remembered. */
const SIZE = 10_000
/** Failures of the way to the registry, which every need of the repository would meet. */
const UNREACHABLE: ReadonlySet<ErrorCode> = new Set([
  'ERR_REGISTRY_UNREACHABLE',
  'ERR_REGISTRY_TIMEOUT',
  'ERR_REGISTRY_RATE_LIMITED',
])

interface Remembered {
  readonly failure: FactFailure
  readonly until: number
  readonly count: number
  readonly key: string
}

/** What failed a moment ago and is not asked again yet. Times are ms since the epoch. */
export interface FailureMemory {
  /** The failure to answer with instead of asking the registry. */
  recall(need: FactNeed, now: number): FactFailure | undefined
  remember(need: FactNeed, failure: FactFailure): void
  /** The registry answered. */
  forget(need: FactNeed): void
  /** Whatever failed of these repositories is asked again at once. */
  forgetAll(concerned: (key: string) => boolean): void
}

export function createFailureMemory(): FailureMemory {
  const needs = new LRUCache<string, Remembered>({ max: SIZE })
  const repositories = new LRUCache<string, Remembered>({ max: SIZE })

  return {
    recall(need, now) {
      const remembered = [repositories.get(need.name), needs.get(needKey(need))]
      // One of the future was met before the clock was set back.
      return remembered.find((one) => one && one.until > now && one.failure.at <= now)?.failure
    },
    remember(need, failure) {
      const general = isUnreachable(failure)
      const cache = general ? repositories : needs
      const key = general ? need.name : needKey(need)
      const count = (cache.get(key)?.count ?? 0) + 1
      const absent = failure.code === 'ERR_REGISTRY_NOT_FOUND'
      const wait = absent ? NOT_FOUND : backoff(count, FIRST, LONGEST)
      cache.set(key, { failure, until: failure.at + wait, count, key: need.name })
    },
    forget(need) {
      needs.delete(needKey(need))
      repositories.delete(need.name)
    },
    forgetAll(concerned) {
      for (const cache of [needs, repositories]) {
        for (const [at, { key }] of cache.entries()) if (concerned(key)) cache.delete(at)
      }
    },
  }
}

/** Whether the registry was not reached at all, so that nothing is known of what was asked. */
export function isUnreachable(failure: FactFailure): boolean {
  return UNREACHABLE.has(failure.code)
}
