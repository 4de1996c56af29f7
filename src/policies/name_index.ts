import type { PolicyEntry } from './compile_policy.ts'

/** The entries whose globs cover a name, best first. Frozen. */
export type Covering = (name: string) => readonly PolicyEntry[]

/** Names remembered for one namespace, or for the cluster. Past it, all are forgotten. */
const MOST_REMEMBERED = 512

const NONE: readonly PolicyEntry[] = Object.freeze([])

/**
 * An index of policies by the names that their globs cover. A glob is filed under its segments
 * before the first `*`, so a look-up asks one bucket for each `/` of the name, however many
 * policies there are.
 */
export function indexNames(entries: readonly PolicyEntry[]): Covering {
  const exact = new Map<string, PolicyEntry[]>()
  const patterns = new Map<string, PolicyEntry[]>()
  for (const entry of entries) {
    for (const { exact: isExact, prefix } of entry.globs)
      file(isExact ? exact : patterns, prefix, entry)
  }
  const remembered = new Map<string, readonly PolicyEntry[]>()

  return (name) => {
    const known = remembered.get(name)
    if (known !== undefined) return known
    const lower = name.toLowerCase()
    const found = new Set(exact.get(lower))
    for (let end = lower.length; end > 0; end = lower.lastIndexOf('/', end - 1)) {
      addAll(found, patterns.get(lower.slice(0, end)))
    }
    addAll(found, patterns.get(''))
    const covering = [...found].filter(({ policy }) => policy.covers(lower))
    const sorted = covering.length === 0 ? NONE : Object.freeze(bestFirst(covering, lower))
    if (remembered.size >= MOST_REMEMBERED) remembered.clear()
    remembered.set(name, sorted)
    return sorted
  }
}

function file(buckets: Map<string, PolicyEntry[]>, key: string, entry: PolicyEntry): void {
  const bucket = buckets.get(key)
  if (bucket === undefined) buckets.set(key, [entry])
  else if (bucket.at(-1) !== entry) bucket.push(entry)
}

function addAll(set: Set<PolicyEntry>, entries: readonly PolicyEntry[] | undefined): void {
  for (const entry of entries ?? NONE) set.add(entry)
}

/** The longest literal pattern first; then the name, then the title, by their characters. */
function bestFirst(entries: readonly PolicyEntry[], name: string): readonly PolicyEntry[] {
  return entries
    .map((entry) => ({ entry, specificity: entry.policy.specificity(name) }))
    .sort(
      (a, b) =>
        b.specificity - a.specificity ||
        compare(a.entry.policy.name, b.entry.policy.name) ||
        compare(a.entry.policy.title, b.entry.policy.title),
    )
    .map(({ entry }) => entry)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
