/** A note names this many. */
const MOST_NAMED = 5

/** Some names in a note, and how many more there are. */
export function someOf(names: readonly string[]): string {
  const rest = names.length - MOST_NAMED
  return names.slice(0, MOST_NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}
