import { IMAGE_POLICIES, keyText, type ObjectKey, type ResourceName } from '../cluster/index.ts'
import type { TagwardenError } from '../errors.ts'
import type { Work } from '../pieces/index.ts'
import type {
  CompiledPolicy,
  CompileOptions,
  PolicyResource,
  PolicySet,
} from '../policies/index.ts'
import { createPolicyCompiler, type ObjectReading } from './policy_compiler.ts'
import {
  newEntry,
  type PolicyEntry,
  type PolicyObject,
  type SpecObject,
  statusTextOf,
} from './policy_object.ts'

/** What one update came to. */
export interface TableUpdate {
  readonly set: PolicySet
  readonly problems: readonly TagwardenError[]
  /** for people: policies that are left out although nothing is wrong with them, and why */
  readonly notes: readonly string[]
  /** objects that are new, changed, gone, or have another status */
  readonly changed: ReadonlySet<PolicyObject>
}

/** What is new about an object: something that the set is made of, or no more than its status. */
export type News = 'specification' | 'status'

/** The policy objects of the cluster as they are told, and the set that they make. */
export interface PolicyTable {
  /**
   * An object is there, new or changed.
   *
   * @param read called at the next update, if its specification is another one
   * @returns undefined: nothing is new
   */
  put(resource: ResourceName, object: SpecObject, read: () => ObjectReading): News | undefined
  /** Something beside it that it depends on has changed. */
  readAgain(resource: ResourceName, key: string, read: () => ObjectReading): void
  remove(resource: ResourceName, key: ObjectKey): void
  /** Reads and compiles what was told, one object after the other, for update(). */
  preparing(): Work<void>
  /** Takes in all that was told, with the policies of files. */
  update(files: readonly PolicyResource[]): TableUpdate
  /** Objects that have got no more than another status since the last update or call. */
  takeStatuses(): ReadonlySet<PolicyObject>
  entries(): Iterable<PolicyEntry>
  entryOf(policy: CompiledPolicy): PolicyEntry | undefined
}

export function createPolicyTable(enforcement: CompileOptions['enforcement']): PolicyTable {
  const compiler = createPolicyCompiler(enforcement)
  const entries = new Map<string, PolicyEntry>()
  const unread = new Map<PolicyEntry, () => ObjectReading>()
  const prepared = new Map<PolicyEntry, readonly [read: () => ObjectReading, ObjectReading]>()
  const byPolicy = new WeakMap<CompiledPolicy, PolicyEntry>()
  let told = new Set<PolicyEntry>()
  let retold = new Set<PolicyEntry>()

  function drop(key: string): void {
    const entry = entries.get(key)
    if (!entry) return
    entries.delete(key)
    unread.delete(entry)
    entry.gone = true
    told.add(entry)
  }

  /** Not by what was told before. */
  function isPrepared(entry: PolicyEntry, read: () => ObjectReading) {
    const ready = prepared.get(entry)
    return ready?.[0] === read ? ready : undefined
  }

  function takeStatuses(): Set<PolicyEntry> {
    const changed = retold
    retold = new Set()
    return changed
  }

  return {
    put(resource, object, read) {
      const key = tableKey(resource, keyText(object.metadata))
      const { uid, generation } = object.metadata
      // one that was made anew inherits nothing of the one before
      if (entries.get(key)?.uid !== uid) drop(key)
      const entry = entries.get(key) ?? newEntry(resource, object)
      entries.set(key, entry)
      const statusText = statusTextOf(object)
      const same = entry.generation !== undefined && entry.generation === generation
      if (same && statusText === entry.statusText) return undefined
      entry.statusText = statusText
      entry.generation = generation
      // a status may tell what was right before
      const isLost = entry.faults.length > 0 && entry.good === undefined
      if (same && !isLost) {
        retold.add(entry)
        return 'status'
      }
      unread.set(entry, read)
      told.add(entry)
      return 'specification'
    },
    readAgain(resource, key, read) {
      const entry = entries.get(tableKey(resource, key))
      if (entry) unread.set(entry, read)
    },
    remove: (resource, key) => drop(tableKey(resource, keyText(key))),
    *preparing() {
      let isFirst = true
      for (const [entry, read] of unread) {
        if (isPrepared(entry, read)) continue
        if (!isFirst) yield
        isFirst = false
        const reading = read()
        compiler.prepare(reading.resource)
        prepared.set(entry, [read, reading])
      }
    },
    update(files) {
      const readings = new Map(
        Array.from(unread, ([entry, read]) => [entry, isPrepared(entry, read)?.[1] ?? read()]),
      )
      unread.clear()
      prepared.clear()
      compiler.settle(readings)
      const all = ownFirst([...entries.values()])
      const before = all.map(({ policy, exception }) => policy ?? exception)
      const set = compiler.compile(files, all)
      for (const [index, entry] of all.entries()) {
        if ((entry.policy ?? entry.exception) === before[index]) continue
        if (entry.policy) byPolicy.set(entry.policy, entry)
        told.add(entry)
      }
      for (const entry of readings.keys()) told.add(entry)
      const changed = told.union(takeStatuses())
      told = new Set()
      return {
        set,
        problems: all.flatMap((entry) => entry.problems),
        notes: [...readings.values()].flatMap(({ note }) => note ?? []),
        changed,
      }
    },
    takeStatuses,
    entries: () => entries.values(),
    entryOf: (policy) => byPolicy.get(policy),
  }
}

/** An object of Tagwarden goes before one of Flux with the same name. */
function ownFirst(entries: readonly PolicyEntry[]): PolicyEntry[] {
  const isOwn = ({ resource }: PolicyEntry) => resource.group === IMAGE_POLICIES.group
  return [...entries.filter(isOwn), ...entries.filter((entry) => !isOwn(entry))]
}

function tableKey(resource: ResourceName, key: string): string {
  return `${resource.group} ${resource.kind} ${key}`
}
