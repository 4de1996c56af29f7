/** A repository that nobody asked for in this time, in ms, is not scanned any more. */
const IDLE = 24 * 3_600_000
/** Scans that are due at the start are spread over this time, in ms. */
const SPREAD = 30_000
/** A scan that failed is tried again after this, in ms, then twice that, up to the interval. */
const RETRY = 5_000
/** So many repositories are kept at most, without those that are watched. */
const SIZE = 10_000

interface Entry {
  /** when to scan next */
  at: number
  usedAt: number
  watched: boolean
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
  use(name: string, scannedAt: number, now: number): boolean
  /** The repository is known since an earlier run; it counts as asked for when it was scanned. */
  adopt(name: string, scannedAt: number, now: number): void
  /** These repositories, and no others, are scanned though nobody asks for them. */
  watch(names: Iterable<string>, now: number): void
  /** The repositories that are due, the longest overdue first; they are running then. */
  take(now: number): string[]
  /** A scan of the repository ended, whoever asked for it. No matter when it is not here. */
  finish(name: string, now: number, failed: boolean): void
  /** When the next repository that does not run is due. */
  nextAt(): number | undefined
}

/**
 * @param options.interval between two scans of a repository, in ms; each time 10 % more or less
 * @param options.random from 0 up to 1
 */
export function createSchedule(options: { interval: number; random: () => number }): Schedule {
  const { interval, random } = options
  const entries = new Map<string, Entry>()

  function add(name: string, scannedAt: number, usedAt: number, now: number): Entry {
    if (entries.size >= SIZE) dropOldest(entries)
    const planned = scannedAt === 0 ? now : scannedAt + jitter(interval)
    const overdue = now + random() * Math.min(SPREAD, interval)
    const at = planned > now ? Math.min(planned, now + jitter(interval)) : overdue
    const entry = { at, usedAt, watched: false, failures: 0, running: false }
    entries.set(name, entry)
    return entry
  }

  function jitter(ms: number): number {
    return ms * (0.9 + 0.2 * random())
  }

  function take(now: number): string[] {
    const due: [string, Entry][] = []
    for (const [name, entry] of entries) {
      if (entry.running || entry.at > now) continue
      if (entry.watched || now - entry.usedAt <= IDLE) due.push([name, entry])
      else entries.delete(name)
    }
    due.sort(([, a], [, b]) => a.at - b.at)
    for (const [, entry] of due) entry.running = true
    return due.map(([name]) => name)
  }

  return {
    use(name, scannedAt, now) {
      const entry = entries.get(name)
      if (entry) entry.usedAt = now
      else add(name, scannedAt, now, now)
      return entry === undefined
    },
    adopt(name, scannedAt, now) {
      if (!entries.has(name)) add(name, scannedAt, Math.min(scannedAt, now), now)
    },
    watch(names, now) {
      const wanted = new Set(names)
      for (const [name, entry] of entries) entry.watched = wanted.has(name)
      for (const name of wanted) {
        const entry = entries.get(name) ?? add(name, 0, now, now)
        entry.watched = true
      }
    },
    take,
    finish(name, now, failed) {
      const entry = entries.get(name)
      if (!entry) return
      entry.running = false
      entry.failures = failed ? entry.failures + 1 : 0
      entry.at = now + jitter(failed ? backoff(entry.failures, RETRY, interval) : interval)
    },
    nextAt() {
      let next: number | undefined
      for (const entry of entries.values()) {
        if (!entry.running && (next === undefined || entry.at < next)) next = entry.at
      }
      return next
    },
  }
}

/** How long to wait after so many failures in a row: twice as long each time. */
export function backoff(failures: number, first: number, longest: number): number {
  return Math.min(longest, first * 2 ** (failures - 1))
}

function dropOldest(entries: Map<string, Entry>): void {
  let oldest: [string, Entry] | undefined
  for (const [name, entry] of entries) {
    const free = !entry.watched && !entry.running
    if (free && (!oldest || entry.usedAt < oldest[1].usedAt)) oldest = [name, entry]
  }
  if (oldest) entries.delete(oldest[0])
}
