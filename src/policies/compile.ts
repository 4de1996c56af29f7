import { formatPosition, type TagwardenError } from '../errors.ts'
import type { Work } from '../pieces/index.ts'
import { compileException, type ExceptionEntry } from './compile_exception.ts'
import { compilePolicy, type PolicyCompilation, type PolicyEntry } from './compile_policy.ts'
import { compileRepository } from './compile_repository.ts'
import { documentProblem } from './document.ts'
import type { Draft, NamespacedDraft, PolicyDraft } from './draft.ts'
import { joinFlux } from './flux.ts'
import { makePolicySet, type SetParts } from './policy_set.ts'
import type { PolicyResource } from './resource.ts'
import { type SelectorOf, sharedSelectors } from './shared_selectors.ts'
import type { CompiledRepository, Enforcement, PolicySet } from './types.ts'

export interface CompileOptions {
  /** of policies that name none; `defaults.enforcement` of the configuration */
  readonly enforcement?: Enforcement | undefined
  /** Keep one for compiling again after a change: what did not change is taken from it. */
  readonly cache?: WeakMap<PolicyDraft, PolicyCompilation> | undefined
  /** Keep one too: what changed then still shares the rankings of equal rules. */
  readonly selectorOf?: SelectorOf | undefined
  /** Secrets that an ImageRepository names can be read; default false, with a note for each */
  readonly secrets?: boolean | undefined
}

export interface CompiledPolicies {
  /** the policies that have no problem */
  readonly set: PolicySet
  readonly problems: readonly TagwardenError[]
  /** for people: what is left out although nothing is wrong with it, and why */
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
    secrets = false,
  }: CompileOptions = {},
): CompiledPolicies {
  const { drafts: paired, problems: unpaired, notes: left } = joinFlux(resources)
  const own = resources.flatMap((resource) => (resource.type === 'policy' ? [resource.draft] : []))
  const problems = [...unpaired]
  const taken = new Map<string, Draft>()
  const isFirst = (draft: Draft): boolean => {
    const rival = taken.get(draft.title)
    if (rival === undefined) taken.set(draft.title, draft)
    else problems.push(duplicate(draft, rival))
    return rival === undefined
  }
  const policies: PolicyEntry[] = []
  for (const draft of [...own, ...paired]) {
    const first = isFirst(draft)
    const compilation = cache.get(draft) ?? compilePolicy(draft, enforcement, selectorOf)
    cache.set(draft, compilation)
    problems.push(...(compilation.problems ?? []))
    if (compilation.entry !== undefined && first) policies.push(compilation.entry)
  }
  const { repositories, exceptions, ...rest } = compileOthers(resources, isFirst)
  problems.push(...rest.problems)
  const unread = secrets ? [] : repositories.flatMap(({ repository }) => secretNote(repository))
  return {
    set: makePolicySet({ policies, repositories, exceptions }),
    problems,
    notes: [...left, ...unread],
  }
}

/**
 * Compiles one policy after the other into the cache, where compilePolicies() finds them: patterns
 * may take some ms each.
 */
export function* compilingEach(
  resources: Iterable<PolicyResource>,
  options: Required<Pick<CompileOptions, 'cache' | 'selectorOf'>> & CompileOptions,
): Work<void> {
  const { enforcement = 'Enforce', cache, selectorOf } = options
  let isFirst = true
  for (const resource of resources) {
    if (resource.type !== 'policy' || cache?.has(resource.draft)) continue
    if (!isFirst) yield
    isFirst = false
    cache?.set(resource.draft, compilePolicy(resource.draft, enforcement, selectorOf!))
  }
}

/** What is not a policy: it is compiled once for each draft, whatever the options are. */
function compileOthers(
  resources: readonly PolicyResource[],
  isFirst: (draft: NamespacedDraft) => boolean,
): Omit<SetParts, 'policies'> & { readonly problems: readonly TagwardenError[] } {
  const repositories: { repository: CompiledRepository; hash: string }[] = []
  const exceptions: ExceptionEntry[] = []
  const problems: TagwardenError[] = []
  for (const resource of resources) {
    if (resource.type === 'repository') {
      const first = isFirst(resource.draft)
      const compilation = compileRepository(resource.draft)
      problems.push(...(compilation.problems ?? []))
      if (compilation.repository !== undefined && first) repositories.push(compilation)
    } else if (resource.type === 'exception') {
      const first = isFirst(resource.draft)
      const { entry, problems: wrong = [] } = compileException(resource.draft)
      problems.push(...wrong)
      if (entry !== undefined && first) exceptions.push(entry)
    }
  }
  return { repositories, exceptions, problems }
}

function secretNote({ title, ...references }: CompiledRepository): string[] {
  const named = (['secretRef', 'certSecretRef', 'proxySecretRef'] as const).filter(
    (field) => references[field] !== undefined,
  )
  if (named.length === 0) return []
  return [
    `${title} names a Secret in ${named.join(' and ')}, which only a cluster has: its registry is asked with what the configuration says`,
  ]
}

function duplicate(draft: Draft, rival: Draft): TagwardenError {
  return documentProblem(draft.document, {
    path: [],
    message: `${draft.title} is also in ${formatPosition({ ...rival.document.position, column: undefined })}`,
    remedy: 'Rename or delete one of the two',
  })
}
