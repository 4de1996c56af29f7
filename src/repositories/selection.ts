import {
  type FactSource,
  plainQuestion,
  type RepositorySnapshot,
  ranking,
  TRIAL_DEFAULTS,
  trialOf,
} from '../decisions/index.ts'
import { settle } from '../facts/index.ts'
import { parseReference } from '../images/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import { inSlices } from '../scheduling/index.ts'
import type { Selection } from './status.ts'

/** How long what a selection lacks may take, in ms: a digest, the platforms. */
const PATIENCE = 30_000
const MOST_POLICIES = 100
const MOST_RANKED = 10
/** the schema's */
const LONGEST_VERSION = 256

/**
 * What each policy selects of a repository now: what a workload would get that leaves the choice to
 * that policy alone. The digest of each is asked for, so that whoever adopts the index has it.
 */
export async function selectionsOf(
  name: string,
  policies: readonly CompiledPolicy[],
  source: FactSource,
  clock: () => number,
  lane: string,
): Promise<Selection[]> {
  const image = parseReference(name)
  const asked = policies.slice(0, MOST_POLICIES)
  const questions = asked.map((policy) =>
    plainQuestion(image, [trialOf(policy, 'TagAndDigest')], TRIAL_DEFAULTS),
  )
  const decisions = await settle(questions, { source, deadline: clock() + PATIENCE, clock, lane })
  return asked.map(({ title }, index) => {
    const change = decisions[index]?.change
    if (!change) return { policy: title }
    const { tag, digest, version } = change
    return {
      policy: title,
      ...(tag !== undefined && { tag }),
      ...(digest && { digest }),
      version: version.slice(0, LONGEST_VERSION),
    }
  })
}

/** The newest tags as a policy ranks them. */
export async function rankedTags(
  policy: CompiledPolicy | undefined,
  snapshot: RepositorySnapshot | undefined,
  lane: string,
): Promise<string[] | undefined> {
  if (!policy || !snapshot) return undefined
  const { permitted } = await inSlices(lane, ranking(policy.selector, snapshot))
  return permitted.slice(0, MOST_RANKED).map(({ tag }) => tag)
}
