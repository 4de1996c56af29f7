import { formatPosition, type TagwardenError } from '../errors.ts'
import { compilePolicy, type PolicyCompilation, type PolicyEntry } from './compile_policy.ts'
import { documentProblem } from './document.ts'
import type { PolicyDraft } from './draft.ts'
import { joinFlux } from './flux.ts'
import { makePolicySet } from './policy_set.ts'
import type { PolicyResource } from './resource.ts'
import { type SelectorOf, sharedSelectors } from './shared_selectors.ts'
import type { Enforcement, PolicySet } from './types.ts'

export interface CompileOptions {
  /** of policies that name none; `defaults.enforcement` of the configuration */
  readonly enforcement?: Enforcement | undefined
  /** Keep one for compiling again after a change: what did not change is taken from it. */
  readonly cache?: WeakMap<PolicyDraft, PolicyCompilation> | undefined
  /** Keep one too: what changed then still shares the rankings of equal rules. */
  readonly selectorOf?: SelectorOf | undefined
}

export interface CompiledPolicies {
  /** the policies that have no problem */
  readonly set: PolicySet
  readonly problems: readonly TagwardenError[]
  /** for people: policies that are left out although nothing is wrong with them, and why */
  readonly notes: readonly string[]
}

/**
 * Makes policies ready: Flux's pairs are joined, defaults filled in, patterns and ranges
 * compiled, and all indexed for match(). Never throws for what the policies hold.
 *
 * @param resources of all files together, from parsePolicies()
 * @example
 *   const { set, problems } = compilePolicies(parsePolicies(text, file).resources)
 *   set.match(parseReference('ghcr.io/acme/web:v1'), workload, 'app')
 */
export function compilePolicies(
  resources: readonly PolicyResource[],
  {
    enforcement = 'Enforce',
    cache = new WeakMap(),
    selectorOf = sharedSelectors(),
  }: CompileOptions = {},
): CompiledPolicies {
  const { drafts: paired, problems: unpaired, notes } = joinFlux(resources)
  const own = resources.flatMap((resource) => (resource.type === 'policy' ? [resource.draft] : []))
  const problems = [...unpaired]
  const entries: PolicyEntry[] = []
  const taken = new Map<string, PolicyDraft>()
  for (const draft of [...own, ...paired]) {
    const rival = taken.get(draft.title)
    taken.set(draft.title, rival ?? draft)
    if (rival !== undefined) problems.push(duplicate(draft, rival))
    const compilation = cache.get(draft) ?? compilePolicy(draft, enforcement, selectorOf)
    cache.set(draft, compilation)
    problems.push(...(compilation.problems ?? []))
    if (compilation.entry !== undefined && rival === undefined) entries.push(compilation.entry)
  }
  return { set: makePolicySet(entries), problems, notes }
}

function duplicate(draft: PolicyDraft, rival: PolicyDraft): TagwardenError {
  return documentProblem(draft.document, {
    path: [],
    message: `${draft.title} is also in ${formatPosition({ ...rival.document.position, column: undefined })}`,
    remedy: 'Rename or delete one of the two',
  })
}
