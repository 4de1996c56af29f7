import type { Place } from './movable.ts'

/** A workload that would move, and the versions it would run, each `<repository> <version>`. */
export interface Move {
  readonly place: Place
  readonly versions: readonly string[]
}

/** The workloads that run a version already, or were taken back from it. */
export interface Reached {
  readonly available: number
  /** some of those that are not, in order */
  readonly unavailable: readonly Place[]
  readonly rolledBack: Place | undefined
}

/** What there is to do for one policy. */
export interface Found {
  /** in order; not all, if there are very many */
  readonly moves: readonly Move[]
  /** there are more than `moves` holds */
  readonly more: boolean
  /** by version */
  readonly reached: ReadonlyMap<string, Reached>
}

/** In which order a policy's workloads are moved. */
export interface Plan {
  /** why nothing moves; undefined: it does */
  readonly stopped: { readonly at: Place; readonly why: string } | undefined
  /** run the new version already, and must be available before anything moves */
  readonly first: readonly Place[]
  /** how many moves must be followed by a wait until the workload is available */
  readonly canaries: number
  readonly moves: readonly Move[]
}

/**
 * Plans what was found. The state of the cluster is all that counts, so another leader makes the
 * same plan: workloads that run the new version count as moved first, whoever moved them.
 */
export function planWave({ moves, reached }: Found, canary: number): Plan {
  const plan: Plan = { stopped: undefined, first: [], canaries: 0, moves }
  if (canary === 0 || moves.length === 0) return plan
  const versions = new Set(moves.flatMap((move) => move.versions))
  const there = [...versions].flatMap((version) => reached.get(version) ?? [])
  const back = there.find(({ rolledBack }) => rolledBack !== undefined)?.rolledBack
  if (back) return { ...plan, stopped: { at: back, why: 'it was rolled back from there' } }
  const first = there.flatMap(({ unavailable }) => unavailable)
  const done = there.reduce((sum, { available }) => sum + available, first.length)
  return { ...plan, first, canaries: Math.max(0, canary - done) }
}
