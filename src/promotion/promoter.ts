import { describeError } from '../errors.ts'
import type { CompiledPolicy } from '../policies/index.ts'
import { backoff, createAlarm, setUnreferencedTimer } from '../scheduling/index.ts'
import { createAnnouncements } from './announcements.ts'
import { createPatience } from './patience.ts'
import type { Found } from './plan.ts'
import { createProgress } from './progress.ts'
import { surveyWorkloads } from './survey.ts'
import { createTriggers } from './triggers.ts'
import { createTurns } from './turns.ts'
import type { Promoter, PromoterOptions } from './types.ts'
import { type PolicyMemory, runWave, type WaveResult } from './wave.ts'
import { opensAt } from './windows.ts'

/** Changes that come together are looked at together, ms. */
const TOGETHER = 250
/** Between two surveys lie at least so many ms, and twice the time that the last one took. */
const APART = 1_000
const AVAILABLE_WITHIN = 30 * 60_000
/** What could not be written is tried again after this, in ms; twice as long each time. */
const FIRST_RETRY = 60_000
const LONGEST_RETRY = 3_600_000

/** What a leader knows of one policy until it changes. */
interface PolicyState extends PolicyMemory {
  /** versions that nothing more moves to */
  readonly stopped: Set<string>
  /** the opening that was told of last */
  told: number | undefined
  /** so many waves in a row could not write all */
  failures: number
}

interface Running {
  readonly abort: AbortController
  readonly done: Promise<void>
}

/**
 * Makes the promoter. It does nothing by itself: the leader calls `lead`. All that it needs to go
 * on after another leader is in the cluster.
 *
 * @example
 *   const promoter = startPromoter({ cluster, review, events, … })
 *   electLeader(cluster, { …, onLeading: (signal) => promoter.lead(signal) })
 */
export function startPromoter(options: PromoterOptions): Promoter {
  return { lead: (signal) => lead(options, signal) }
}

async function lead(options: PromoterOptions, signal: AbortSignal): Promise<void> {
  const { cluster, review, subjectOf, log, availableWithin = AVAILABLE_WITHIN } = options
  const { clock = Date.now, timer = setUnreferencedTimer, random = Math.random } = options
  const { customKinds = async () => [], excludedNamespaces = new Set<string>() } = options
  const since = clock()
  const patience = createPatience(timer, random)
  const turns = createTurns(patience, clock)
  const alarm = createAlarm(clock, timer)
  const announcements = createAnnouncements(options)
  const inFlight = new Set<string>()
  const states = new Map<string, PolicyState>()
  const waves = new Map<string, Running>()
  const due = new Set<string>()
  let wake = () => {}
  const triggers = createTriggers({
    ...options,
    ...{ clock, alarm, since },
    onDue: again,
    onChanged(title) {
      waves.get(title)?.abort.abort()
      alarm.clear(`window ${title}`)
      alarm.clear(`retry ${title}`)
      const memory = states.get(title)
      states.delete(title)
      // Its pace goes on: a change of the policy is no reason to be faster.
      if (memory && triggers.inForce(title)) stateOf(title).last = memory.last
    },
  })

  function again(title: string): void {
    due.add(title)
    wake()
  }

  function stateOf(title: string): PolicyState {
    const state: PolicyState = states.get(title) ?? {
      // Another leader may have moved one just now.
      ...{ last: since, waits: new Map(), stopped: new Set(), told: undefined, failures: 0 },
    }
    states.set(title, state)
    return state
  }

  async function survey(): Promise<void> {
    const titles = [...due]
    due.clear()
    await Promise.all(titles.map((title) => endWave(title)))
    const policies = titles.flatMap((title) => triggers.inForce(title) ?? [])
    if (policies.length === 0) return
    const found = await patience.insist(
      () =>
        surveyWorkloads(
          policies,
          {
            ...{ cluster, review, clock, since, customKinds, excludedNamespaces, inFlight },
            ...{ log, onImage: triggers.surveyed },
            isStopped: (title, version) => states.get(title)?.stopped.has(version) ?? false,
          },
          signal,
        ),
      signal,
    )
    for (const policy of policies) {
      const plan = found.get(policy.title)
      const changed = triggers.inForce(policy.title) !== policy || due.has(policy.title)
      if (plan && plan.moves.length > 0 && !changed) begin(policy, plan)
    }
  }

  async function endWave(title: string): Promise<void> {
    waves.get(title)?.abort.abort()
    await waves.get(title)?.done
  }

  function begin(policy: CompiledPolicy, found: Found): void {
    const { title } = policy
    const state = stateOf(title)
    const abort = new AbortController()
    const inCluster = subjectOf(policy) !== undefined
    const wave = runWave(
      found,
      {
        ...{ cluster, review, patience, clock, timer, turns, policy, since, inFlight, log },
        ...{ memory: state, announcements, availableWithin },
        progress: createProgress(cluster, policy, inCluster, clock),
        isInForce: () => triggers.inForce(title) === policy,
      },
      abort.signal,
    )
    const done = wave
      .then((result) => ended(policy, state, found, result))
      .catch((error) => log?.warn({ policy: title }, `promotion failed: ${describeError(error)}`))
      .finally(() => waves.delete(title))
    waves.set(title, { abort, done })
    if (signal.aborted) abort.abort()
  }

  function ended(policy: CompiledPolicy, state: PolicyState, found: Found, wave: WaveResult): void {
    const { title } = policy
    const { end, moved, left } = wave
    if (end === 'stopped') {
      for (const version of found.moves.flatMap((move) => move.versions)) state.stopped.add(version)
    }
    if (end === 'closed') waitForWindow(policy, state, left)
    if (end !== 'done' && end !== 'failed') return
    // A plan that is full of what can't be moved must not be made over and over.
    const isStuck = end === 'failed' || (found.more && moved === 0)
    state.failures = isStuck ? state.failures + 1 : 0
    const wait = backoff(state.failures, FIRST_RETRY, LONGEST_RETRY)
    if (found.more && moved > 0) again(title)
    else if (isStuck) alarm.set(`retry ${title}`, clock() + wait, () => again(title))
  }

  function waitForWindow(policy: CompiledPolicy, state: PolicyState, count: number): void {
    const { title } = policy
    const opening = opensAt(policy.promotion.windows, clock())
    if (opening !== state.told) announcements.waiting(policy, count, opening)
    state.told = opening
    if (opening !== undefined) alarm.set(`window ${title}`, opening, () => again(title))
  }

  const end = () => {
    wake()
    for (const { abort } of waves.values()) abort.abort()
  }
  signal.addEventListener('abort', end, { once: true })
  const stops = [options.onPolicies(triggers.policiesChanged), options.onScanned(triggers.scanned)]
  try {
    triggers.policiesChanged()
    while (!signal.aborted) {
      await new Promise<void>((resolve) => {
        wake = resolve
        if (due.size > 0) resolve()
      })
      await patience.pause(TOGETHER, signal)
      const began = clock()
      const titles = [...due]
      try {
        await survey()
      } catch (error) {
        if (signal.aborted) break
        log?.warn({}, `the workloads could not be listed: ${describeError(error)}`)
        for (const title of titles) due.add(title)
        await patience.pause(60_000, signal)
      }
      await patience.pause(Math.max(APART, 2 * (clock() - began)), signal)
    }
  } finally {
    for (const stop of stops) stop()
    alarm.close()
    await Promise.all([...waves.values()].map(({ done }) => done))
  }
}
