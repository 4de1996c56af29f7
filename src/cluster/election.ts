import { randomBytes } from 'node:crypto'
import { type ClusterClock, systemClock } from './clock.ts'
import { hasReason } from './cluster_error.ts'
import { freeLease, heldLease, type Lease, newLease } from './lease.ts'
import type { ClusterLog } from './log.ts'
import { LEASES } from './resources.ts'
import type { Cluster, Election, OwnerReference } from './types.ts'

export interface ElectionOptions {
  /** of the Lease */
  readonly namespace: string
  readonly name: string
  /** what people are to read; something unique is added */
  readonly identity: string
  /** ms after which another one takes over from a leader that is silent; at least 1,000 */
  readonly leaseDuration: number
  /**
   * Called when this one leads. The signal aborts when it no longer does, before another one can.
   * A second term begins only when the promise of the first is settled.
   */
  readonly onLeading: (signal: AbortSignal) => Promise<void> | void
  /** what the Lease belongs to when it is made, and is deleted with */
  readonly owner?: () => Promise<OwnerReference | undefined>
  readonly clock?: ClusterClock | undefined
  readonly log?: ClusterLog | undefined
}

/** Shares of the lease's duration, those of client-go. */
const RENEW_DEADLINE = 2 / 3
const RETRY_PERIOD = 2 / 15
const LONGEST_GOODBYE_MS = 3_000

/**
 * Takes part in the election of a leader by a Lease. What others wrote is timed by our own clock,
 * from when we first saw it, never by the times in the Lease; so clocks may differ and jump. Our
 * own time counts from before the write that renewed it.
 *
 * @example
 *   const election = electLeader(cluster, {
 *     namespace: 'tagwarden', name: 'tagwarden', identity: hostname(), leaseDuration: 15_000,
 *     onLeading: (signal) => scanUntil(signal),
 *   })
 *   await election.release()
 */
export function electLeader(cluster: Cluster, options: ElectionOptions): Election {
  const { namespace, name, identity, leaseDuration, onLeading, log } = options
  const { clock = systemClock } = options
  if (!(leaseDuration >= 1000)) throw new TypeError('a lease lasts at least 1,000 ms')
  const key = { namespace, name }
  const holder = {
    identity: `${identity}_${randomBytes(4).toString('hex')}`,
    duration: leaseDuration,
  }
  const deadline = leaseDuration * RENEW_DEADLINE
  const closing = new AbortController()
  let lease: Lease | undefined
  let seen = { spec: '', at: 0 }
  let renewed = { elapsed: 0, now: 0 }
  let term: AbortController | undefined
  let work: Promise<void> | undefined
  let failing = false

  const moment = () => ({ elapsed: clock.elapsed(), now: clock.now() })
  // Sleep of the whole machine shows in one of the two only.
  const age = () => Math.max(clock.elapsed() - renewed.elapsed, clock.now() - renewed.now)
  const leading = () => term !== undefined && age() < deadline

  function observe(found: Lease): void {
    const spec = JSON.stringify(found.spec ?? {})
    if (spec !== seen.spec) seen = { spec, at: clock.elapsed() }
    lease = found
  }

  function holderNow(): string | undefined {
    const { holderIdentity, leaseDurationSeconds = 0 } = lease?.spec ?? {}
    const over = clock.elapsed() - seen.at >= leaseDurationSeconds * 1000
    return holderIdentity === undefined || holderIdentity === '' || over
      ? undefined
      : holderIdentity
  }

  async function write(wanted: Lease, verb: 'create' | 'replace', signal: AbortSignal) {
    const before = moment()
    observe(await cluster[verb](LEASES, wanted, { signal }))
    renewed = before
  }

  /** Whether this one holds the lease now. */
  async function attempt(signal: AbortSignal): Promise<boolean> {
    if (leading() && lease !== undefined) {
      try {
        await write(heldLease(lease, holder, clock.now()), 'replace', signal)
        return true
      } catch (error) {
        if (!hasReason(error, 'Conflict') && !hasReason(error, 'NotFound')) throw error
      }
    }
    const found = await cluster.get<Lease>(LEASES, key, { signal })
    if (found !== undefined) observe(found)
    const present = found && holderNow()
    if (present !== undefined && present !== holder.identity) return false
    try {
      if (found === undefined) {
        const owner = await options.owner?.()
        await write(newLease(key, holder, clock.now(), owner), 'create', signal)
      } else await write(heldLease(found, holder, clock.now()), 'replace', signal)
      return true
    } catch (error) {
      // Another one was faster.
      if (hasReason(error, 'Conflict') || hasReason(error, 'AlreadyExists')) return false
      throw error
    }
  }

  function begin(): void {
    const mine = new AbortController()
    term = mine
    log?.info({ lease: name }, `this one leads (${holder.identity})`)
    work = Promise.resolve(mine.signal)
      .then(onLeading)
      .catch((error) => log?.error({ err: error, lease: name }, 'what the leader does failed'))
      .finally(() => {
        work = undefined
      })
    void guard(mine)
  }

  /** Ends the term in time, whatever else is waited for. */
  async function guard(mine: AbortController): Promise<void> {
    while (term === mine) {
      const left = deadline - age()
      if (left <= 0) return lose('the lease could not be renewed in time')
      await clock.sleep(Math.ceil(left), mine.signal).catch(() => {})
    }
  }

  function lose(why: string): void {
    if (term === undefined) return
    log?.info({ lease: name }, `this one no longer leads: ${why}`)
    const ended = term
    term = undefined
    ended.abort()
  }

  async function turn(): Promise<void> {
    // A leader of yesterday that still works must not lead twice.
    if (term === undefined && work !== undefined) return
    const limit = new AbortController()
    const abort = () => limit.abort()
    const timer = setTimeout(abort, deadline / 2).unref()
    closing.signal.addEventListener('abort', abort, { once: true })
    try {
      const holds = await attempt(limit.signal)
      if (failing) log?.info({ lease: name }, 'the lease can be asked for again')
      failing = false
      if (closing.signal.aborted) return
      if (!holds) lose('another one does')
      else if (term === undefined && work === undefined) begin()
    } catch (error) {
      if (!failing && !closing.signal.aborted) {
        log?.warn({ err: error, lease: name }, `the lease: ${(error as Error).message}`)
        failing = true
      }
    } finally {
      clearTimeout(timer)
      closing.signal.removeEventListener('abort', abort)
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await turn()
      const chance = Math.random() * (term === undefined ? 1 : 0.2)
      const pause = leaseDuration * RETRY_PERIOD * (1 + chance)
      await clock.sleep(pause, closing.signal).catch(() => {})
    }
  }

  /** Whether the work of the last term ended while nobody else could lead. */
  async function workEnded(): Promise<boolean> {
    if (work === undefined) return true
    const waiting = new AbortController()
    const late = clock.sleep(Math.max(0, leaseDuration - age()), waiting.signal)
    const ended = await Promise.race([work.then(() => true), late.then(() => false)])
    waiting.abort()
    late.catch(() => {})
    return ended
  }

  async function giveBack(): Promise<void> {
    // Who still works keeps the lease until it ends by itself.
    if (!(await workEnded())) return
    const signal = AbortSignal.timeout(Math.min(leaseDuration, LONGEST_GOODBYE_MS))
    const found = await cluster.get<Lease>(LEASES, key, { signal })
    if (found?.spec?.holderIdentity !== holder.identity) return
    await cluster.replace(LEASES, freeLease(found, clock.now()), { signal })
  }

  const running = run()
  let released: Promise<void> | undefined
  return {
    leading,
    leader() {
      const present = holderNow()
      if (present === holder.identity && !leading()) return undefined
      return present?.replace(/_[0-9a-f]{8}$/, '')
    },
    release() {
      closing.abort()
      lose('it is stopping')
      // What is not given back ends by itself.
      released ??= running.then(giveBack).catch(() => {})
      return released
    },
  }
}
