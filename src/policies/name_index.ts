import { compareTexts, createRecurringCache } from '../pieces/index.ts'
import type { PolicyEntry } from './compile_policy.ts'
import { repositoryNames } from './host_alias.ts'
import type { RepositoryGlob } from './repository_glob.ts'

/** The entries whose globs cover a name, best first. Frozen. */
export type Covering<Entry = PolicyEntry> = (name: string) => readonly Entry[]

/** What can be found by names. */
export interface Indexed {
  readonly globs: readonly RepositoryGlob[]
}

/** Names remembered for one namespace, or for the cluster. */
const MOST_REMEMBERED = 512

const NONE: readonly never[] = Object.freeze([])

/** The policies that cover a name, the most specific first. */
export function indexPolicies(entries: readonly PolicyEntry[]): Covering {
  return indexNames(entries, (found, name) => {
    const covering = found.filter(({ policy }) => policy.covers(name))
    return covering.length === 0 ? NONE : bestFirst(covering, name)
  })
}

/**
 * An index of entries by the names that their globs cover. A glob is filed under its segments
 * before the first `*`, so a look-up asks one bucket for each `/` of the name, however many
 * entries there are.
 *
 * @param choose which of those that may cover a name do (it is in lower case), best first
 */
export function indexNames<Entry extends Indexed>(
  entries: readonly Entry[],
  choose: (found: readonly Entry[], name: string) => readonly Entry[],
): Covering<Entry> {
  const exact = new Map<string, Entry[]>()
  const patterns = new Map<string, Entry[]>()
  for (const entry of entries) {
    for (const { exact: isExact, prefix } of entry.globs)
      file(isExact ? exact : patterns, prefix, entry)
  }
  const remembered = createRecurringCache<readonly Entry[]>(MOST_REMEMBERED)

  return (name) => {
    const known = remembered.get(name)
    if (known !== undefined) return known
    const lower = name.toLowerCase()
    const found = new Set<Entry>()
    for (const each of repositoryNames(name)) {
      addAll(found, exact.get(each))
      for (let end = each.length; end > 0; end = each.lastIndexOf('/', end - 1)) {
        addAll(found, patterns.get(each.slice(0, end)))
      }
    }
    addAll(found, patterns.get(''))
    const sorted = found.size === 0 ? NONE : Object.freeze(choose([...found], lower))
    remembered.offer(name, sorted)
    return sorted
  }
}

function file<Entry>(buckets: Map<string, Entry[]>, key: string, entry: Entry): void {
  const bucket = buckets.get(key)
  if (bucket === undefined) buckets.set(key, [entry])
  else if (bucket.at(-1) !== entry) bucket.push(entry)
}

function addAll<Entry>(set: Set<Entry>, entries: readonly Entry[] | undefined): void {
  for (const entry of entries ?? NONE) set.add(entry)
}

/** The longest literal pattern first; then the name, then the title, by their characters. */
function bestFirst(entries: readonly PolicyEntry[], name: string): readonly PolicyEntry[] {
  return entries
    .map((entry) => ({ entry, specificity: entry.policy.specificity(name) }))
    .sort(
      (a, b) =>
        b.specificity - a.specificity ||
        compareTexts(a.entry.policy.name, b.entry.policy.name) ||
        compareTexts(a.entry.policy.title, b.entry.policy.title),
    )
    .map(({ entry }) => entry)
}
