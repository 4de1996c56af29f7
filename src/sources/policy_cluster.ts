import { type Cluster, IMAGE_POLICIES, typeMetaOf } from '../cluster/index.ts'
import { describeError, type TagwardenError } from '../errors.ts'
import {
  type CompileOptions,
  compilePolicies,
  type PolicyResource,
  type PolicySet,
} from '../policies/index.ts'
import { inSlices } from '../scheduling/index.ts'
import { openPolicyFolder } from './policy_folder.ts'
import type { PolicyObject } from './policy_object.ts'
import { createPolicyTable } from './policy_table.ts'
import { type SourceLog, watchPolicies } from './policy_watches.ts'
import { type QuietOptions, whenQuiet } from './quiet.ts'
import type { PolicySource } from './types.ts'

export interface PolicyClusterOptions extends QuietOptions {
  readonly cluster: Pick<Cluster, 'watch' | 'whenServed' | 'get'>
  /** files and folders whose policies count too; they go before an object of the same name */
  readonly paths?: readonly string[]
  /** of policies that name none; default Enforce */
  readonly enforcement?: CompileOptions['enforcement']
  /** another set is in force */
  readonly onChange?: (set: PolicySet) => void
  /** what is wrong has changed; called with an empty list when all is well again */
  readonly onProblems?: (problems: readonly TagwardenError[]) => void
  readonly log?: SourceLog | undefined
}

/** Of so many notes it is remembered that they were told. */
const MOST_NOTED = 1_000

/**
 * Follows the policies that live in the cluster: Tagwarden's own, and Flux's where their CRDs are.
 * A change is in force some 50 ms after it is told. A policy that becomes wrong stays in force as
 * it was last right; one that was never right in the life of this process is left out. What is
 * wrong with one policy is nothing to the others.
 *
 * @throws TagwardenError, or an AggregateError of several, if a file in `paths` is wrong
 * @example
 *   const policies = await openPolicyCluster({ cluster, paths: config.policies })
 *   await policies.synced
 */
export async function openPolicyCluster(options: PolicyClusterOptions): Promise<PolicySource> {
  const { cluster, log, onChange, onProblems } = options
  const table = createPolicyTable(options.enforcement)
  const listeners = new Set<(changed: ReadonlySet<PolicyObject>) => void>()
  const noted = new Set<string>()
  let files: readonly PolicyResource[] = []
  let fileProblems: readonly TagwardenError[] = []
  let problems: readonly TagwardenError[] = []
  let isSynced = false
  let isClosed = false
  let { set } = compilePolicies([])

  const quiet = whenQuiet(() => void takeIn(), options)
  // The leader writes statuses for as long as it has some to write: no new set waits for those.
  const quietStatus = whenQuiet(() => tellListeners(table.takeStatuses()), options)
  const folder = await openPolicyFolder({
    paths: options.paths ?? [],
    enforcement: options.enforcement,
    secrets: true,
    onChange: (_set, loaded) => {
      files = loaded.resources
      tellOnce(loaded.notes)
      quiet.call()
    },
    onProblems: (found) => {
      fileProblems = found
      quiet.call()
    },
  })

  // what files say counts before anything is known of the cluster
  quiet.cancel()
  update()

  function tellOnce(notes: readonly string[]): void {
    for (const note of notes.filter((each) => !noted.has(each))) {
      if (noted.size >= MOST_NOTED) noted.clear()
      noted.add(note)
      log?.info({}, note)
    }
  }

  /** What was told, once it is compiled: hundreds of policies may be told at once. */
  async function takeIn(): Promise<void> {
    await inSlices('policies', table.preparing())
    if (!isClosed) update()
  }

  function update(): void {
    const { set: next, problems: found, notes, changed } = table.update(files)
    tellOnce(notes)
    if (next.revision !== set.revision) {
      set = next
      onChange?.(set)
    }
    const before = problems
    problems = [...fileProblems, ...found]
    if (!isSame(before, problems)) onProblems?.(problems)
    tellListeners(changed)
  }

  function tellListeners(changed: ReadonlySet<PolicyObject>): void {
    if (changed.size > 0) for (const listener of listeners) listener(changed)
  }

  const watches = watchPolicies(
    cluster,
    table,
    (news) => (news === 'status' ? quietStatus : quiet).call(),
    log,
  )
  const synced = watches.synced.then(async () => {
    quiet.cancel()
    await takeIn()
    isSynced = true
  })

  return {
    current: () => set,
    problems: () => problems,
    isSynced: () => isSynced,
    synced,
    missing: () => (isSynced ? undefined : watches.missing()),
    *objects() {
      for (const entry of table.entries())
        if (entry.resource.group === IMAGE_POLICIES.group) yield entry
    },
    objectOf: (policy) => table.entryOf(policy),
    subjectOf(policy) {
      const entry = table.entryOf(policy)
      if (!entry) return undefined
      const { resource, namespace, name, uid } = entry
      return { ...typeMetaOf(resource), namespace, name, uid }
    },
    namespaceLabels: watches.namespaces.labels,
    namespace: watches.namespaces.get,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      isClosed = true
      const quiets = [quiet, quietStatus]
      for (const each of quiets) each.cancel()
      await Promise.all([folder.close(), watches.close()])
      for (const each of quiets) each.cancel()
    },
  }
}

function isSame(a: readonly TagwardenError[], b: readonly TagwardenError[]): boolean {
  return (
    a.length === b.length && a.every((each, at) => describeError(each) === describeError(b[at]))
  )
}
