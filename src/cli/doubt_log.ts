import { doubtsInFiles } from '../admission/index.ts'
import type { Config } from '../config/index.ts'
import { builtinKinds, type GroupKind } from '../images/index.ts'
import type { PolicySet } from '../policies/types.ts'
import type { Log } from './log.ts'

/** So many are named at a time. */
const MOST_NAMED = 100

/** The kinds whose images are looked at. */
export function knownKinds({ imageFields }: Pick<Config, 'imageFields'>): readonly GroupKind[] {
  return [...builtinKinds, ...imageFields]
}

/** Makes the function that logs what is doubtful about policies from files, each time that it is new. */
export function createDoubtLog(
  log: Pick<Log, 'warn'>,
  kinds: readonly GroupKind[],
): (set: PolicySet) => void {
  let told = new Set<string>()
  return (set) => {
    const doubts = doubtsInFiles(set, Date.now(), kinds)
    const fresh = doubts.filter((doubt) => !told.has(doubt))
    told = new Set(doubts)
    for (const doubt of fresh.slice(0, MOST_NAMED)) log.warn({}, doubt)
    if (fresh.length > MOST_NAMED) log.warn({}, `and ${fresh.length - MOST_NAMED} more`)
  }
}
