import { compareTexts } from '../pieces/index.ts'
import type { CompiledPolicy, LabelSelector } from '../policies/index.ts'

/** What of a policy says whether its namespaces are closed. */
export type ClosingPolicy = Pick<
  CompiledPolicy,
  'kind' | 'namespace' | 'name' | 'onUnavailable' | 'namespaceSelector'
>

/** Where nothing is let in while no replica answers. */
export interface ClosedNamespaces {
  /** a policy closes every namespace */
  readonly all: boolean
  /** by name, sorted */
  readonly names: readonly string[]
  /** by their labels; each for a ClusterImagePolicy, sorted by its name */
  readonly selected: readonly { readonly policy: string; readonly selector: LabelSelector }[]
  /** by name: a policy wants them closed, and they are never asked about */
  readonly ignored: readonly string[]
}

/** Each is a webhook of its own that the API server looks at for every request. */
export const MOST_SELECTORS = 50

/**
 * The namespaces in which a policy says `onUnavailable: Deny`. Those of `excluded` never are. Too
 * many different selectors close every namespace: that is what nobody notices too late.
 *
 * @example
 *   closedNamespaces(set.policies, new Set(['kube-system'])).names
 */
export function closedNamespaces(
  policies: readonly ClosingPolicy[],
  excluded: ReadonlySet<string>,
): ClosedNamespaces {
  const closing = policies.filter(({ onUnavailable }) => onUnavailable === 'Deny')
  const wanted = [...new Set(closing.flatMap(({ namespace }) => namespace ?? []))].sort()
  const names = wanted.filter((name) => !excluded.has(name))
  const ignored = wanted.filter((name) => excluded.has(name))
  const ofCluster = closing
    .filter(({ namespace }) => namespace === undefined)
    .sort((one, other) => compareTexts(one.name, other.name))
  const selected = new Map<string, { policy: string; selector: LabelSelector }>()
  for (const { name, namespaceSelector } of ofCluster) {
    const selector = namespaceSelector ?? {}
    const key = JSON.stringify(requirementsOf(selector))
    if (!selected.has(key)) {
      selected.set(key, { policy: name, selector })
    }
  }
  const all = selected.has('[]') || selected.size > MOST_SELECTORS
  return all
    ? { all, names: [], selected: [], ignored }
    : { all, names, selected: [...selected.values()], ignored }
}

/** One condition on labels. */
export interface Requirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values?: readonly string[]
}

/** A selector as conditions that must all hold; equal for selectors that say the same. */
export function requirementsOf({ matchLabels, matchExpressions }: LabelSelector): Requirement[] {
  const labels = Object.entries(matchLabels ?? {}).map(
    ([key, value]): Requirement => ({ key, operator: 'In', values: [value] }),
  )
  const expressions = (matchExpressions ?? []).map(
    ({ key, operator, values }): Requirement => ({
      key,
      operator,
      ...(values && values.length > 0 && { values: [...new Set(values)].sort() }),
    }),
  )
  const all = new Map([...labels, ...expressions].map((each) => [JSON.stringify(each), each]))
  return [...all].sort(([one], [other]) => compareTexts(one, other)).map(([, each]) => each)
}

const OPPOSITES = {
  In: 'NotIn',
  NotIn: 'In',
  Exists: 'DoesNotExist',
  DoesNotExist: 'Exists',
} as const

/**
 * The condition that holds exactly where these do not; undefined when no single one says that,
 * as for two conditions.
 */
export function oppositeOf(requirements: readonly Requirement[]): Requirement | undefined {
  const [only, ...others] = requirements
  return only && others.length === 0 ? { ...only, operator: OPPOSITES[only.operator] } : undefined
}
