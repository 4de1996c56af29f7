import { TagwardenError } from '../errors.ts'
import {
  type CompileOptions,
  compilePolicies,
  joinFlux,
  type PolicyDraft,
  type PolicyResource,
  type PolicySet,
  sharedSelectors,
} from '../policies/index.ts'
import type { PolicyEntry } from './policy_object.ts'

/** What an object says in its newest version. */
export interface ObjectReading {
  readonly draft: PolicyDraft | undefined
  readonly problems: readonly TagwardenError[]
  /** why it is left out although nothing is wrong with it */
  readonly note?: string | undefined
}

/** Compiles again and again; what did not change is taken from the last time. */
export interface PolicyCompiler {
  /** Takes over what is right of these readings; what is wrong leaves the version before. */
  settle(readings: ReadonlyMap<PolicyEntry, ObjectReading>): void
  /** The set of files and objects. Where two have one name, the first one counts. */
  compile(files: readonly PolicyResource[], entries: readonly PolicyEntry[]): PolicySet
}

export function createPolicyCompiler(enforcement: CompileOptions['enforcement']): PolicyCompiler {
  const cache: NonNullable<CompileOptions['cache']> = new WeakMap()
  const options = { enforcement, cache, selectorOf: sharedSelectors() }
  const compileDrafts = (drafts: readonly PolicyDraft[]): PolicySet =>
    compilePolicies(
      drafts.map((draft) => ({ type: 'policy', draft })),
      options,
    ).set

  return {
    settle(readings) {
      compileDrafts([...readings.values()].flatMap(({ draft }) => draft ?? []))
      for (const [entry, { draft, problems, note }] of readings) {
        entry.faults = [...problems, ...((draft && cache.get(draft)?.problems) ?? [])]
        if (entry.faults.length > 0) continue
        entry.good = note === undefined ? draft : undefined
        entry.inForce = entry.good && entry.generation
      }
    },
    compile(files, entries) {
      const drafts: PolicyDraft[] = [
        ...files.flatMap((resource) => (resource.type === 'policy' ? resource.draft : [])),
        ...joinFlux(files).drafts,
      ]
      const taken = new Map(drafts.map(({ title, document }) => [title, document.position.file]))
      for (const entry of entries) {
        const { good, title } = entry
        const rival = good && taken.get(good.title)
        entry.clash = rival === undefined ? undefined : clash(title, rival)
        if (good === undefined || rival !== undefined) continue
        taken.set(good.title, title)
        drafts.push(good)
      }
      const set = compileDrafts(drafts)
      for (const entry of entries) {
        const { good, clash } = entry
        entry.policy = good && !clash ? cache.get(good)?.entry?.policy : undefined
      }
      return set
    },
  }
}

function clash(title: string, rival: string): TagwardenError {
  const where = rival === title ? 'as an object of Tagwarden itself' : `in ${rival}`
  return new TagwardenError(
    'ERR_INVALID_POLICY',
    `there is one of this name ${where}, and that counts`,
    {
      remedy: 'Rename or delete one of the two',
      position: { file: title },
    },
  )
}
