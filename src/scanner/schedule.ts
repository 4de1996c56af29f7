import { backoff } from '../scheduling/index.ts'

/** A repository that nobody asked for in this time, in ms, is not scanned any more. */
const IDLE = 24 * 3_600_000
/** Scans that are due at the start are spread over this time, in ms. */
const SPREAD = 30_000
/** A scan that failed is tried again after this, in ms, then twice that, up to the interval. */
const RETRY = 5_000
/** A scan comes after so many intervals at most. */
const LATEST = 1.1
/** So many repositories are kept at most, without those that are watched. */
const SIZE = 10_000

interface Entry {
  /** when to scan next */
  at: number
  usedAt: number
  /** undefined: it is not watched */
  watchedSince: number | undefined
  failures: number
  running: boolean
}

/**
 * When which repository is scanned. Holds no timer and looks at no clock: times (`now`) are ms
 * since the epoch.
 */
export interface Schedule {
  /**
   * Somebody asked for the repository now.
   *
   * @param scannedAt when it was last scanned; 0 if never
   * @returns whether it is new here
   */
  use(key: string, scannedAt: number, now: number): boolean
  /** The repository is known since an earlier run; it counts as asked for when it was scanned. */
  adopt(key: string, scannedAt: number, now: number): void
  /** These repositories, and no others, are scanned though nobody asks for them. */
  watch(keys: Iterable<string>, now: number): void
  /** The repositories that are due, the longest overdue first; they are running then. */
  take(now: number): string[]
  /**
   * A scan of the repository ended, whoever asked for it. No matter when it is not here.
   *
   * @returns when it is due next
   */
  finish(key: string, now: number, failed: boolean): number | undefined
  has(key: string): boolean
  /** Its interval has changed: it is scanned within the new one. */
  hasten(key: string, now: number): void
  drop(key: string): void
  /** Plans all anew by when they were last scanned, whoever did that. */
  replan(scannedAt: (key: string) => number, now: number): void
  /**
   * How late the repository is, in ms, whose turn is longest over. One that was never scanned counts
   * where it is watched, from when it came to be.
   */
  overdue(scannedAt: (key: string) => number, now: number): number
  /** When the next repository that does not run is due. */
  nextAt(): number | undefined
}

/** What differs for one repository. */
export interface Pace {
  /** ms */
  readonly interval?: number | undefined
  /** it is never due */
  readonly suspend?: boolean | undefined
}

/**
 * @param options.interval between two scans of a repository, in ms; each time 10 % more or less
 * @param options.random from 0 up to 1
 */
export function createSchedule(options: {
  interval: number
  random: () => number
  pace?: (key: string) => Pace | undefined
}): Schedule {
  const { random, pace = () => undefined } = options
  const entries = new Map<string, Entry>()

  function add(key: string, scannedAt: number, usedAt: number, now: number): Entry {
    if (entries.size >= SIZE) dropOldest(entries)
    const at = plan(key, scannedAt, now)
    const entry = { at, usedAt, watchedSince: undefined, failures: 0, running: false }
    entries.set(key, entry)
    return entry
  }

  function plan(key: string, scannedAt: number, now: number): number {
    const interval = intervalOf(key)
    const planned = scannedAt === 0 ? now : scannedAt + jitter(interval)
    return planned > now ? Math.min(planned, now + jitter(interval)) : soon(key, now)
  }

  function soon(key: string, now: number): number {
    return now + random() * Math.min(SPREAD, intervalOf(key))
  }

  function intervalOf(key: string): number {
    return pace(key)?.interval ?? options.interval
  }

  function jitter(ms: number): number {
    return ms * (0.9 + 0.2 * random())
  }

  function isWanted({ watchedSince, usedAt }: Entry, now: number): boolean {
    return watchedSince !== undefined || now - usedAt <= IDLE
  }

  function take(now: number): string[] {
    const due: [string, Entry][] = []
    for (const [key, entry] of entries) {
      // Planned further ahead than anything is: the clock was set back since.
      if (entry.at > now + 1.2 * intervalOf(key)) entry.at = soon(key, now)
      if (entry.running || entry.at > now || pace(key)?.suspend) continue
      if (isWanted(entry, now)) due.push([key, entry])
      else entries.delete(key)
    }
    due.sort(([, a], [, b]) => a.at - b.at)
    for (const [, entry] of due) entry.running = true
    return due.map(([key]) => key)
  }

  return {
    use(key, scannedAt, now) {
      const entry = entries.get(key)
      if (entry) entry.usedAt = now
      else add(key, scannedAt, now, now)
      return entry === undefined
    },
    adopt(key, scannedAt, now) {
      if (!entries.has(key)) add(key, scannedAt, Math.min(scannedAt, now), now)
    },
    watch(keys, now) {
      const wanted = new Set(keys)
      for (const [key, entry] of entries) if (!wanted.has(key)) entry.watchedSince = undefined
      for (const key of wanted) {
        const entry = entries.get(key) ?? add(key, 0, now, now)
        entry.watchedSince ??= now
      }
    },
    take,
    finish(key, now, failed) {
      const entry = entries.get(key)
      if (!entry) return undefined
      entry.running = false
      entry.failures = failed ? entry.failures + 1 : 0
      const interval = intervalOf(key)
      entry.at = now + jitter(failed ? backoff(entry.failures, RETRY, interval) : interval)
      return entry.at
    },
    has: (key) => entries.has(key),
    hasten(key, now) {
      const entry = entries.get(key)
      if (entry) entry.at = Math.min(entry.at, now + jitter(intervalOf(key)))
    },
    drop: (key) => void entries.delete(key),
    replan(scannedAt, now) {
      for (const [key, entry] of entries) {
        if (!entry.running) entry.at = plan(key, scannedAt(key), now)
      }
    },
    overdue(scannedAt, now) {
      let most = 0
      for (const [key, entry] of entries) {
        if (pace(key)?.suspend || !isWanted(entry, now)) continue
        const at = scannedAt(key) || entry.watchedSince
        if (at) most = Math.max(most, now - at - LATEST * intervalOf(key))
      }
      return most
    },
    nextAt() {
      let next: number | undefined
      for (const [key, entry] of entries) {
        if (!entry.running && !pace(key)?.suspend && (next === undefined || entry.at < next))
          next = entry.at
      }
      return next
    },
  }
}

function dropOldest(entries: Map<string, Entry>): void {
  let oldest: [string, Entry] | undefined
  for (const [key, entry] of entries) {
    const free = entry.watchedSince === undefined && !entry.running
    if (free && (!oldest || entry.usedAt < oldest[1].usedAt)) oldest = [key, entry]
  }
  if (oldest) entries.delete(oldest[0])
}
