import {
  type Decision,
  deciding,
  type FactFailure,
  type FactNeed,
  type FactSource,
  type Facts,
  hostOf,
  needKey,
  type Question,
} from '../decisions/index.ts'
import type { Work } from '../pieces/index.ts'
import { inSlices, withinTime } from '../scheduling/index.ts'
import { recall, remember } from './memory.ts'

/**
 * A cold image may need the list of tags, then a manifest or two, then better words. Where many
 * tags lack a platform, each round asks for a few.
 */
const MAX_ROUNDS = 64
/** A fact that was brought may be gone again at once; one that never comes is not asked for ever. */
const MAX_VAIN = 2
/** How long an answer that is certain waits for facts that only better its words, in ms. */
const WISH_MS = 750
/** An image may be judged by so many policies in all before others may go first. */
const AT_ONCE = 64

/** Where facts come from, and until when they are waited for. */
export interface Gathering {
  readonly source: FactSource
  /**
   * ms since the epoch; facts that are not there by then count as timed out, and so does what it
   * takes many tags to tell
   */
  readonly deadline: number
  readonly clock?: (() => number) | undefined
  /** who is kept waiting by what takes long: a namespace; see inSlices() */
  readonly lane?: string | undefined
}

/**
 * Decides on several images together: asks decide(), gathers what it lacks, once for all of them,
 * and asks again. When all facts are in memory, nothing is awaited, unless so many tags or policies
 * are to be looked at that others would be kept waiting: that is done in slices.
 *
 * @returns one decision for each question, in order, without needs
 *
 * @example
 *   const [decision] = await settle([question], { source, deadline: Date.now() + 8_000 })
 */
export async function settle(
  questions: readonly Question[],
  { source, deadline, clock = Date.now, lane = '' }: Gathering,
): Promise<Decision[]> {
  const failures = new Map<string, FactFailure>()
  const facts: Facts = {
    snapshot: (name) => source.snapshot(name),
    failure: (need) => failures.get(needKey(need)),
    now: clock(),
  }
  const decisions: Decision[] = []
  const decide = (by: Facts, indexes = unsettled(decisions), how = deciding) =>
    decideInTime(
      { questions, decisions, left: new Set(indexes), lane },
      by,
      how,
      deadline - clock(),
    )
  await decide(facts, questions.keys().toArray(), recalling)
  const asked = new Set<string>()
  let vain = 0
  for (let round = 0; round < MAX_ROUNDS && clock() < deadline; round += 1) {
    const needs = new Map<string, FactNeed>()
    const wishes = new Map<string, FactNeed>()
    for (const decision of decisions) {
      for (const need of decision.needs) needs.set(needKey(need), need)
      for (const wish of decision.wishes) wishes.set(needKey(wish), wish)
    }
    if (needs.size === 0 && wishes.size === 0) {
      return decisions
    }
    const lacking = new Map([...wishes, ...needs])
    vain = [...lacking.keys()].every((key) => asked.has(key)) ? vain + 1 : 0
    if (vain > MAX_VAIN) break
    for (const key of lacking.keys()) asked.add(key)
    const until = needs.size > 0 ? deadline : Math.min(deadline, clock() + WISH_MS)
    await gatherAll(lacking, source, until - clock(), failures, clock)
    await decide({ ...facts, now: clock() })
  }
  await decide({
    ...facts,
    failure: (need) => facts.failure(need) ?? outOfTime(need, clock()),
  })
  return decisions
}

function unsettled(decisions: readonly Decision[]): number[] {
  return decisions.flatMap(({ needs, wishes }, index) =>
    needs.length > 0 || wishes.length > 0 ? index : [],
  )
}

/** Questions, and those of them that are to be decided on yet. */
interface Pending {
  readonly questions: readonly Question[]
  readonly decisions: Decision[]
  readonly left: Set<number>
  readonly lane: string
}

type Deciding = typeof deciding

/** What is not done in time is decided without looking through tags. */
async function decideInTime(
  pending: Pending,
  facts: Facts,
  how: Deciding,
  ms: number,
): Promise<void> {
  const work = decidingAll(pending, facts, how)
  if (work.next().done) return
  await withinTime(ms, undefined, async (signal) => {
    try {
      await inSlices(pending.lane, work, signal)
    } catch (error) {
      if (!signal.aborted) throw error
      // not behind what others of the namespace wait for: an answer that is too late is none
      await inSlices(`${pending.lane} late`, decidingAll(pending, facts, decidingLate))
    }
  })
}

function* decidingAll(
  { questions, decisions, left }: Pending,
  facts: Facts,
  how: Deciding,
): Work<void> {
  let judged = 0
  for (const index of left) {
    const question = questions[index] as Question
    decisions[index] = yield* how(question, facts)
    left.delete(index)
    judged += question.policies.length
    if (judged < AT_ONCE) continue
    judged = 0
    yield
  }
}

function* recalling(question: Question, facts: Facts): Work<Decision> {
  const snapshot = facts.snapshot(question.image.name)
  const known = recall(question, snapshot, facts.now)
  if (known) return known
  const decision = yield* deciding(question, facts)
  remember(question, decision, snapshot, facts.now)
  return decision
}

/** What takes no time is done all the same. */
function* decidingLate(question: Question, facts: Facts): Work<Decision> {
  const first = deciding(question, facts).next()
  if (first.done) return first.value
  yield
  return yield* deciding(question, { ...facts, late: true })
}

async function gatherAll(
  needs: ReadonlyMap<string, FactNeed>,
  source: FactSource,
  ms: number,
  failures: Map<string, FactFailure>,
  clock: () => number,
): Promise<void> {
  await withinTime(ms, undefined, (signal) =>
    Promise.all(
      Array.from(needs, async ([key, need]) => {
        const failure = await source.gather(need, signal)
        if (failure) {
          failures.set(key, signal.aborted ? outOfTime(need, clock()) : failure)
        }
      }),
    ),
  )
}

function outOfTime(need: FactNeed, at: number): FactFailure {
  return { code: 'ERR_REGISTRY_TIMEOUT', message: `${hostOf(need)} did not answer in time`, at }
}
