import type { TagwardenError } from '../errors.ts'
import type { PolicySet } from '../policies/index.ts'
import { watchFolders } from './folder_watch.ts'
import {
  createPolicyReader,
  type LoadedPolicies,
  type PolicyPaths,
  throwProblems,
} from './policy_reader.ts'

export interface PolicyFolderOptions extends PolicyPaths {
  /** another set is in force, at the start too */
  readonly onChange?: (set: PolicySet, loaded: LoadedPolicies) => void
  /** the last good set stays in force; called with an empty list when all is well again */
  readonly onProblems?: (problems: readonly TagwardenError[]) => void
  /** ms without a change before files are read, so that none is read half-written; default 50 */
  readonly settle?: number | undefined
  /** ms between regular looks, for what the system does not report; default 10,000 */
  readonly interval?: number | undefined
}

/** Policies that follow their files. */
export interface PolicyFolder {
  /** the set in force */
  readonly current: () => PolicySet
  /** what is wrong with the files since the set in force was read */
  readonly problems: () => readonly TagwardenError[]
  /** Stops following; resolves when nothing runs any more. */
  close(): Promise<void>
}

/**
 * Reads the policies of files and folders, and follows their changes: the whole set is swapped at
 * once, and only when every policy in it is right.
 *
 * @throws TagwardenError, or an AggregateError of several, if a policy is wrong or a path missing
 * @example
 *   const folder = await openPolicyFolder({ paths: ['./policies'] })
 *   folder.current().policies.length
 */
export async function openPolicyFolder(options: PolicyFolderOptions): Promise<PolicyFolder> {
  const { settle = 50, interval = 10_000, onChange, onProblems } = options
  const read = createPolicyReader(options)
  const first = (await read())!
  throwProblems(first.problems)
  let current = first.loaded.set
  let problems: readonly TagwardenError[] = []
  let closed = false
  let turn = Promise.resolve()
  let settling: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    if (closed) return
    const reading = await read()
    if (reading === undefined || closed) return
    // what changed while a watch began was not reported
    if (watch.follow(reading.folders)) queueLook()
    const had = problems
    problems = reading.problems
    if (problems.length > 0 || had.length > 0) onProblems?.(problems)
    const { set } = reading.loaded
    if (problems.length > 0 || set.revision === current.revision) return
    current = set
    onChange?.(set, reading.loaded)
  }
  const queueLook = () => {
    turn = turn.then(look)
  }
  const watch = watchFolders(() => {
    clearTimeout(settling)
    settling = setTimeout(queueLook, settle)
  })
  const regular = setInterval(queueLook, interval).unref()
  if (watch.follow(first.folders)) queueLook()
  onChange?.(current, first.loaded)

  return {
    current: () => current,
    problems: () => problems,
    close: async () => {
      closed = true
      clearTimeout(settling)
      clearInterval(regular)
      watch.close()
      await turn
    },
  }
}
