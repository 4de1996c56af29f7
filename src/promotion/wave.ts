import { describeError } from '../errors.ts'
import type { CompiledPolicy } from '../policies/index.ts'
import type { Timer } from '../scheduling/index.ts'
import type { Announcements } from './announcements.ts'
import { type Place, placeTitle } from './movable.ts'
import { type Moved, type MoveOptions, moveWorkload } from './move.ts'
import { nextTurn } from './pace.ts'
import type { Patience } from './patience.ts'
import { type Found, type Move, planWave } from './plan.ts'
import type { Progress } from './progress.ts'
import type { Turns } from './turns.ts'
import type { PromotionLog } from './types.ts'
import { type Waited, waitUntilAvailable } from './waiting.ts'
import { isOpen } from './windows.ts'

/**
 * How a wave ended. `closed`: its window did, with workloads left; `stopped`: nothing more moves
 * to these versions; `failed`: all had their turn, and some could not be written.
 */
export type WaveEnd = 'done' | 'failed' | 'closed' | 'stopped' | 'aborted'

/** What a wave came to. */
export interface WaveResult {
  readonly end: WaveEnd
  /** how many workloads it moved */
  readonly moved: number
  /** how many had no turn */
  readonly left: number
}

/** What outlives a wave of a policy, as long as the policy does not change. */
export interface PolicyMemory {
  /** when its last workload was moved, ms since the epoch */
  last: number | undefined
  /** since when a workload is waited for, by title and version */
  readonly waits: Map<string, number>
}

export interface WaveOptions extends Omit<MoveOptions, 'policy' | 'mayMove'> {
  readonly policy: CompiledPolicy
  readonly memory: PolicyMemory
  readonly announcements: Announcements
  readonly progress: Progress
  readonly patience: Patience
  readonly turns: Turns
  readonly timer: Timer
  readonly availableWithin: number
  readonly inFlight: Set<string>
  /** whether this very policy is still in force */
  readonly isInForce: () => boolean
  readonly log: PromotionLog | undefined
}

/** So many workloads in a row can't be moved: then the cause is not theirs. */
const MOST_FAILURES = 5
const MOST_WAITS = 1_000

/** Moves the workloads that were found, in order, by the pace of the policy. */
export async function runWave(
  found: Found,
  options: WaveOptions,
  signal: AbortSignal,
): Promise<WaveResult> {
  const { policy, announcements, progress, memory } = options
  const plan = planWave(found, policy.promotion.canary)
  let count = 0
  let left = plan.moves.length
  if (plan.stopped) {
    announcements.stopped(plan.stopped.at, undefined, policy, plan.stopped.why)
    return result('stopped')
  }
  const versions = plan.moves.flatMap((move) => move.versions)
  const waited = new Set(plan.first.map((place) => waitKey(place, versions[0] ?? '')))
  // What is available by now would count from then if it came to be waited for again.
  for (const key of memory.waits.keys()) if (!waited.has(key)) memory.waits.delete(key)
  for (const place of plan.first) {
    const waited = await wait(place, versions[0] ?? '', [], options, signal)
    if (waited.end === 'aborted') return result('aborted')
    if (waited.end === 'failed') return stop(place, waited)
  }
  let canaries = plan.canaries
  let failures = 0
  let failed = false
  for (const move of plan.moves) {
    const moved = await take(move, options, signal)
    if (moved === 'closed' || moved === 'aborted') {
      await progress.flush()
      return result(moved)
    }
    left -= 1
    if (moved.result === 'unmoved') {
      options.log?.debug(fieldsOf(move, policy), `not promoted: ${moved.why}`)
      continue
    }
    if (moved.result === 'failed') {
      announcements.failed(move.place, moved.uid, policy, moved.why)
      failed = true
      failures += 1
      if (failures < MOST_FAILURES) continue
      const why = `${failures} workloads in a row could not be moved; the last one: ${moved.why}`
      return stop(move.place, { uid: moved.uid, why })
    }
    failures = 0
    count += 1
    announcements.promoted(move.place, moved.uid, moved.images)
    await progress.note(moved.images)
    if (canaries > 0) {
      const images = moved.images.map(({ change }) => change.to)
      const waited = await wait(move.place, move.versions[0] ?? '', images, options, signal)
      if (waited.end === 'failed') return stop(move.place, waited)
      if (waited.end === 'available') canaries -= 1
    }
  }
  await progress.flush()
  return result(signal.aborted ? 'aborted' : failed ? 'failed' : 'done')

  function result(end: WaveEnd): WaveResult {
    return { end, moved: count, left }
  }

  async function stop(
    place: Place,
    { uid, why }: { readonly uid: string | undefined; readonly why: string },
  ): Promise<WaveResult> {
    await progress.flush()
    announcements.stopped(place, uid, policy, why)
    return result('stopped')
  }
}

/** One move, when pace, window and the other policies let it. */
async function take(
  { place }: Move,
  options: WaveOptions,
  signal: AbortSignal,
): Promise<Moved | 'closed' | 'aborted'> {
  const { policy, memory, clock, patience, turns, inFlight, isInForce } = options
  const { windows, maxPerMinute } = policy.promotion
  const open = () => isOpen(windows, clock())
  if (!open()) return 'closed'
  await patience.pause(nextTurn(memory.last, maxPerMinute, clock()) - clock(), signal)
  const mayMove = () => !signal.aborted && isInForce() && open()
  const moved = await turns.run(async () => {
    if (!mayMove()) return undefined
    inFlight.add(placeTitle(place))
    try {
      return await moveWorkload(place, { ...options, mayMove }, signal)
    } catch (error) {
      if (signal.aborted) return undefined
      return { result: 'failed', uid: undefined, why: describeError(error) } as const
    } finally {
      inFlight.delete(placeTitle(place))
    }
  }, signal)
  if (moved?.result === 'moved') memory.last = clock()
  if (moved?.result !== 'moved' && !mayMove())
    return open() || signal.aborted ? 'aborted' : 'closed'
  return moved ?? 'aborted'
}

/** Waits for a workload; the time that it has goes on although the wave is planned anew. */
async function wait(
  place: Place,
  version: string,
  images: readonly string[],
  options: WaveOptions,
  signal: AbortSignal,
): Promise<Waited> {
  const { cluster, clock, timer, review, memory, availableWithin: limit, log, policy } = options
  const key = waitKey(place, version)
  const since = memory.waits.get(key) ?? clock()
  if (memory.waits.size >= MOST_WAITS) memory.waits.clear()
  memory.waits.set(key, since)
  log?.debug({ object: placeTitle(place), policy: policy.title }, 'waiting until it is available')
  const within = since + limit - clock()
  const { fields } = review
  const waited = await waitUntilAvailable(
    place,
    { cluster, timer, fields, within, limit, images },
    signal,
  )
  if (waited.end === 'available' || waited.end === 'gone') memory.waits.delete(key)
  return waited
}

function waitKey(place: Place, version: string): string {
  return `${placeTitle(place)} ${version}`
}

function fieldsOf({ place }: Move, policy: CompiledPolicy): object {
  return { object: placeTitle(place), policy: policy.title }
}
