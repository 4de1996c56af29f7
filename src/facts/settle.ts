import {
  type Decision,
  decide,
  type FactFailure,
  type FactNeed,
  type FactSource,
  type Facts,
  needKey,
  type Question,
} from '../decisions/index.ts'
import { recall, remember } from './memory.ts'

/** A cold image may need the list of tags, then a manifest or two, then better words. */
const MAX_ROUNDS = 8
/** How long an answer that is certain waits for facts that only better its words, in ms. */
const WISH_MS = 750

/**
 * Decides on several images together: asks decide(), gathers what it lacks, once for all of them,
 * and asks again. When all facts are in memory, nothing is awaited.
 *
 * @param deadline ms since the epoch; facts that are not there by then count as timed out
 * @returns one decision for each question, in order, without needs
 *
 * @example
 *   const [decision] = await settle([question], scanner, Date.now() + 8_000)
 */
export async function settle(
  questions: readonly Question[],
  source: FactSource,
  deadline: number,
  clock: () => number = Date.now,
): Promise<Decision[]> {
  const failures = new Map<string, FactFailure>()
  const facts: Facts = {
    snapshot: (name) => source.snapshot(name),
    failure: (need) => failures.get(needKey(need)),
    now: clock(),
  }
  const decisions = questions.map((question) => {
    const snapshot = facts.snapshot(question.image.name)
    const known = recall(question, snapshot, facts.now)
    const decision = known ?? decide(question, facts)
    if (!known) remember(question, decision, snapshot, facts.now)
    return decision
  })
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
    const until = needs.size > 0 ? deadline : Math.min(deadline, clock() + WISH_MS)
    await gatherAll(new Map([...wishes, ...needs]), source, until - clock(), failures, clock)
    decideAgain(questions, decisions, { ...facts, now: clock() })
  }
  decideAgain(questions, decisions, {
    ...facts,
    failure: (need) => facts.failure(need) ?? outOfTime(need, clock()),
  })
  return decisions
}

function decideAgain(questions: readonly Question[], decisions: Decision[], facts: Facts): void {
  questions.forEach((question, index) => {
    const before = decisions[index]
    if (before && (before.needs.length > 0 || before.wishes.length > 0)) {
      decisions[index] = decide(question, facts)
    }
  })
}

async function gatherAll(
  needs: ReadonlyMap<string, FactNeed>,
  source: FactSource,
  ms: number,
  failures: Map<string, FactFailure>,
  clock: () => number,
): Promise<void> {
  const timer = new AbortController()
  const timeout = setTimeout(() => timer.abort(), Math.max(0, ms))
  try {
    await Promise.all(
      Array.from(needs, async ([key, need]) => {
        const failure = await source.gather(need, timer.signal)
        if (failure) {
          failures.set(key, timer.signal.aborted ? outOfTime(need, clock()) : failure)
        }
      }),
    )
  } finally {
    clearTimeout(timeout)
  }
}

function outOfTime(need: FactNeed, at: number): FactFailure {
  const host = need.name.slice(0, need.name.indexOf('/'))
  return { code: 'ERR_REGISTRY_TIMEOUT', message: `${host} did not answer in time`, at }
}
