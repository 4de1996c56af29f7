import {
  type Decision,
  deciding,
  plainQuestion,
  type RepositorySnapshot,
  TRIAL_DEFAULTS,
  trialOf,
} from '../decisions/index.ts'
import { parseReference } from '../images/index.ts'
import { compareTexts, type Work } from '../pieces/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import type { Known, KnownRepositories } from './known_repositories.ts'
import type { Newest, Selected } from './policy_status.ts'

/** Of so many repositories of one policy it is looked what it selects. */
const MOST_LOOKED_AT = 50

/** A repository that a policy covers. */
export interface Covered extends Known {
  readonly name: string
  /** the policy names it in full */
  readonly named: boolean
}

/**
 * What a policy selects of the repositories that it covers: of the first ones, when there are very
 * many. Of the others, those are there that were not or cannot be read. Times are ms since the
 * epoch.
 */
export function* selectedBy(
  policy: CompiledPolicy,
  covered: readonly Covered[],
  now: number,
): Work<Selected[]> {
  const trial = trialOf(policy, 'Tag')
  const selected: Selected[] = []
  for (const [index, { name, named, snapshot, failure }] of covered.entries()) {
    const isLookedAt = index < MOST_LOOKED_AT
    if (!isLookedAt && !failure && (snapshot?.scannedAt ?? 0) > 0) continue
    const decision =
      isLookedAt && snapshot ? yield* newestBy([trial], name, snapshot, now) : undefined
    selected.push({
      image: name,
      named,
      scannedAt: snapshot?.scannedAt ?? 0,
      tags: snapshot?.tags.length ?? 0,
      failure,
      newest: snapshot && decision && newestOf(decision, snapshot),
      pending: decision !== undefined && decision.needs.length > 0,
    })
    yield
  }
  return selected
}

/** The repositories that a policy names, and those that it covers and that are known; by name. */
export function coveredBy(policy: CompiledPolicy, known: KnownRepositories): Covered[] {
  const exact = policy.images.filter((glob) => !glob.includes('*'))
  const names = new Map(exact.map((name) => [name, true]))
  if (exact.length < policy.images.length) {
    for (const name of known.names()) if (!names.has(name)) names.set(name, false)
  }
  const covered: Covered[] = []
  for (const [name, named] of names) {
    if (!policy.covers(name)) continue
    const found = known.find(name, policy.namespace)
    if (found && (named || found.snapshot)) covered.push({ name, named, ...found })
  }
  return covered.sort((a, b) => compareTexts(a.name, b.name))
}

/** What the policies make of a repository of which no tag is asked for: by the index alone. */
export function newestBy(
  policies: readonly CompiledPolicy[],
  name: string,
  snapshot: RepositorySnapshot,
  now: number,
): Work<Decision> {
  const question = plainQuestion(parseReference(name), policies, TRIAL_DEFAULTS)
  return deciding(question, { snapshot: () => snapshot, failure: () => undefined, now })
}

/** The same of a policy that chooses where another one judges, by tags alone. */
export function newestBeside(
  policy: CompiledPolicy,
  other: CompiledPolicy,
  name: string,
  snapshot: RepositorySnapshot,
  now: number,
): Work<Decision> {
  const judge: CompiledPolicy = { ...trialOf(other, 'Tag'), action: 'Verify' }
  return newestBy([trialOf(policy, 'Tag'), judge], name, snapshot, now)
}

function newestOf({ change }: Decision, snapshot: RepositorySnapshot): Newest | undefined {
  if (change?.tag === undefined) return undefined
  const { tag, version } = change
  return { tag, version, digest: snapshot.manifest(tag)?.digest }
}
