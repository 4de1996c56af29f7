import type { Decision, Question, RepositorySnapshot } from '../decisions/index.ts'

/** Messages say how old a fact is, to the second. */
const LIFETIME = 1000
/** A repository has few images that are asked for in one second; hostile ones may have many. */
const LARGEST = 500

interface Remembered {
  readonly question: Question
  readonly decision: Decision
  /** ms since the epoch */
  readonly at: number
}

type Generation = WeakMap<RepositorySnapshot, Map<string, Remembered>>

// Two generations: what is too old to be used is let go with the older one.
let young: Generation = new WeakMap()
let old: Generation = new WeakMap()
let youngSince = 0

/**
 * The decision on the same image under the same policies and facts within the last second. Many
 * workloads run the same few images, and both webhooks ask.
 */
export function recall(
  question: Question,
  snapshot: RepositorySnapshot | undefined,
  now: number,
): Decision | undefined {
  const key = keyOf(question)
  const found = snapshot && (young.get(snapshot)?.get(key) ?? old.get(snapshot)?.get(key))
  const usable = found && isPlain(question) && now - found.at < LIFETIME && now >= found.at
  return usable && isSame(found, question, now) ? found.decision : undefined
}

/** Keeps a decision that needed no fact beyond the snapshot. */
export function remember(
  question: Question,
  decision: Decision,
  snapshot: RepositorySnapshot | undefined,
  now: number,
): void {
  const certain = decision.needs.length === 0 && decision.wishes.length === 0
  if (!snapshot || !certain || !isPlain(question)) {
    return
  }
  if (now - youngSince >= LIFETIME || now < youngSince) {
    old = young
    young = new WeakMap()
    youngSince = now
  }
  let known = young.get(snapshot)
  if (!known || known.size >= LARGEST) {
    known = new Map()
    young.set(snapshot, known)
  }
  known.set(keyOf(question), { question, decision, at: now })
}

/** Nothing that the object says matters beside the image. */
function isPlain(question: Question): boolean {
  const { previous, unchanged, hold, restored, hint, immutable } = question
  return !previous && !unchanged && !hold && !restored && hint === undefined && !immutable
}

function keyOf({ mode, image }: Question): string {
  return `${mode} ${image.original}`
}

function isSame({ question: a, at }: Remembered, b: Question, now: number): boolean {
  return (
    a.defaults === b.defaults &&
    a.ownerReviewed === b.ownerReviewed &&
    a.policies.length === b.policies.length &&
    a.policies.every(
      (policy, index) =>
        policy === b.policies[index] &&
        (!a.ownerReviewed || policy.judged(a.owners) === policy.judged(b.owners)),
    ) &&
    a.exceptions.length === b.exceptions.length &&
    a.exceptions.every(
      (each, index) => each === b.exceptions[index] && at < each.expires === now < each.expires,
    )
  )
}
