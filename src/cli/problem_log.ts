import { describeError, type TagwardenError } from '../errors.ts'
import type { Log } from './log.ts'

/** So many are named at a time; a change of one thing may make many wrong. */
const MOST_NAMED = 100

/**
 * Makes the function that logs what has changed in a list of problems: what is new, and what was
 * put right. What is as it was is not told again.
 *
 * @example
 *   const tell = createProblemLog(log)
 *   openPolicyCluster({ onProblems: tell, … })
 */
export function createProblemLog(
  log: Pick<Log, 'info' | 'warn'>,
): (problems: readonly TagwardenError[]) => void {
  let before = new Map<string, TagwardenError>()
  return (problems) => {
    const now = new Map(problems.map((each) => [describeError(each), each]))
    const left = before
    before = now
    const fresh = [...now].filter(([text]) => !left.has(text))
    const right = [...left].filter(([text]) => !now.has(text))
    for (const [text, { code }] of fresh.slice(0, MOST_NAMED)) log.warn({ code }, text)
    for (const [text, { code }] of right.slice(0, MOST_NAMED)) log.info({ code }, `solved: ${text}`)
    const unnamed = [fresh, right].reduce(
      (sum, { length }) => sum + Math.max(0, length - MOST_NAMED),
      0,
    )
    if (unnamed > 0) log.warn({ problems: now.size }, `and ${unnamed} more`)
  }
}
