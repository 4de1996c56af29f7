import { TagwardenError } from '../errors.ts'
import { finish } from '../pieces/index.ts'
import {
  type CompileOptions,
  compilePolicies,
  compilingEach,
  joinFlux,
  type PolicyResource,
  type PolicySet,
  sharedSelectors,
} from '../policies/index.ts'
import type { OwnResource, PolicyEntry } from './policy_object.ts'

/** What an object says in its newest version. */
export interface ObjectReading {
  readonly resource: OwnResource | undefined
  readonly problems: readonly TagwardenError[]
  /** why it is left out although nothing is wrong with it */
  readonly note?: string | undefined
  /** the last version that was right, as its status tells: for who has not seen it */
  readonly before?: () =>
    | { readonly generation: number; readonly resource: OwnResource }
    | undefined
}

/** Compiles again and again; what did not change is taken from the last time. */
export interface PolicyCompiler {
  /** Compiles a policy, for settle() to find. */
  prepare(resource: OwnResource | undefined): void
  /**
   * Takes over what is right of these readings. What is wrong leaves the version before of a
   * policy, the one in its status if none is known, and nothing of an exception: either way, a
   * mistake lets nothing through.
   */
  settle(readings: ReadonlyMap<PolicyEntry, ObjectReading>): void
  /** The set of files and objects. Where two have one name, the first one counts. */
  compile(files: readonly PolicyResource[], entries: readonly PolicyEntry[]): PolicySet
}

export function createPolicyCompiler(enforcement: CompileOptions['enforcement']): PolicyCompiler {
  const cache: NonNullable<CompileOptions['cache']> = new WeakMap()
  const options = { enforcement, cache, selectorOf: sharedSelectors() }

  function faultsOf(resource: OwnResource | undefined): readonly TagwardenError[] {
    if (resource?.type === 'policy') return cache.get(resource.draft)?.problems ?? []
    return resource ? compilePolicies([resource]).problems : []
  }

  function restore(entry: PolicyEntry, { before }: ObjectReading): void {
    const { generation, resource } = before?.() ?? {}
    if (resource?.type !== 'policy') return
    compilePolicies([resource], options)
    if (faultsOf(resource).length > 0) return
    entry.good = resource
    entry.inForce = generation
  }

  return {
    prepare(resource) {
      if (resource) finish(compilingEach([resource], options))
    },
    settle(readings) {
      const policies = Array.from(readings.values(), ({ resource }) => resource)
      compilePolicies(
        policies.flatMap((resource) => (resource?.type === 'policy' ? resource : [])),
        options,
      )
      for (const [entry, reading] of readings) {
        const { resource, problems, note } = reading
        entry.faults = [...problems, ...faultsOf(resource)]
        if (entry.faults.length > 0 && entry.good === undefined) restore(entry, reading)
        if (entry.faults.length > 0 && entry.good?.type !== 'exception') continue
        const counts = entry.faults.length === 0 && note === undefined
        entry.good = counts ? resource : undefined
        entry.inForce = entry.good && entry.generation
      }
    },
    compile(files, entries) {
      const resources: PolicyResource[] = files.filter(({ type }) => !type.startsWith('Flux'))
      for (const draft of joinFlux(files).drafts) resources.push({ type: 'policy', draft })
      const taken = new Map(resources.flatMap(titleAndFile))
      for (const entry of entries) {
        const { good, title } = entry
        const rival = good && taken.get(good.draft.title)
        entry.clash = rival === undefined ? undefined : clash(title, rival)
        if (good === undefined || rival !== undefined) continue
        taken.set(good.draft.title, title)
        resources.push(good)
      }
      const { set } = compilePolicies(resources, options)
      const exceptions = new Map(set.allExceptions.map((each) => [each.title, each]))
      for (const entry of entries) {
        const good = entry.clash ? undefined : entry.good
        entry.policy = good?.type === 'policy' ? cache.get(good.draft)?.entry?.policy : undefined
        entry.exception = good?.type === 'exception' ? exceptions.get(entry.title) : undefined
      }
      return set
    },
  }
}

function titleAndFile(resource: PolicyResource): [title: string, file: string][] {
  if (!('draft' in resource)) return []
  const { title, document } = resource.draft
  return [[title, document.position.file]]
}

function clash(title: string, rival: string): TagwardenError {
  const where = rival === title ? 'as an object of Tagwarden itself' : `in ${rival}`
  return new TagwardenError(
    'ERR_INVALID_POLICY',
    `there is one of this name ${where}, and that counts`,
    { remedy: 'Rename or delete one of the two', position: { file: title } },
  )
}
