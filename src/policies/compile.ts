import { formatPosition, type TagwardenError } from '../errors.ts'
import { compileRule } from '../tags/index.ts'
import type { TagRule, TagSelector } from '../tags/types.ts'
import { compilePolicy, type PolicyCompilation, type PolicyEntry } from './compile_policy.ts'
import { documentProblem } from './document.ts'
import type { PolicyDraft } from './draft.ts'
import { joinFlux } from './flux.ts'
import { makePolicySet } from './policy_set.ts'
import type { PolicyResource } from './resource.ts'
import type { Enforcement, PolicySet } from './types.ts'

export interface CompileOptions {
  /** of policies that name none; `defaults.enforcement` of the configuration */
  readonly enforcement?: Enforcement | undefined
  /** Keep one for compiling again after a change: what did not change is taken from it. */
  readonly cache?: WeakMap<PolicyDraft, PolicyCompilation> | undefined
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
  { enforcement = 'Enforce', cache = new WeakMap() }: CompileOptions = {},
): CompiledPolicies {
  const { drafts: paired, problems: unpaired, notes } = joinFlux(resources)
  const own = resources.flatMap((resource) => (resource.type === 'policy' ? [resource.draft] : []))
  const problems = [...unpaired]
  const entries: PolicyEntry[] = []
  const taken = new Map<string, PolicyDraft>()
  const selectorOf = sharedSelectors()
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

/** Policies with the same rule share one selector, and so one ranking of each repository. */
function sharedSelectors(): (rule: TagRule) => TagSelector {
  const selectors = new Map<string, TagSelector>()
  return (rule) => {
    const key = JSON.stringify(rule)
    const selector = selectors.get(key) ?? compileRule(rule)
    selectors.set(key, selector)
    return selector
  }
}

function duplicate(draft: PolicyDraft, rival: PolicyDraft): TagwardenError {
  return documentProblem(draft.document, {
    path: [],
    message: `${draft.title} is also in ${formatPosition({ ...rival.document.position, column: undefined })}`,
    remedy: 'Rename or delete one of the two',
  })
}
