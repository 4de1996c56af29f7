/** The numbers of the groups of each name, in the order of the pattern. */
export type GroupNumbers = ReadonlyMap<string, readonly number[]>

// What may hold a bracket that opens no group (a quotation, an escape, a class), or a group.
const TOKEN =
  /\\Q[\s\S]*?(?:\\E|$)|\\[\s\S]|\[\^?\]?(?:\[:\^?\w+:\]|\\[\s\S]|[^\]\\])*\]|\((?:\?P?<(\w+)>|(?!\?))/g

/**
 * A pattern in which no two groups have the same name, which Go permits and re2js does not: from
 * the second one on, they have none.
 */
export function withoutDoubleNames(source: string): {
  text: string
  groups: GroupNumbers
  count: number
} {
  const groups = new Map<string, number[]>()
  let count = 0
  const text = source.replace(TOKEN, (token, name?: string) => {
    if (!token.startsWith('(')) return token
    count += 1
    if (name === undefined) return token
    const numbers = groups.get(name)
    if (numbers) numbers.push(count)
    else groups.set(name, [count])
    return numbers ? '(' : token
  })
  return { text, groups, count }
}

/** What Go's Expand takes for a name: of the groups with that name, the first that took part. */
export function firstOf(
  match: readonly (string | undefined)[],
  numbers: readonly number[],
): string | undefined {
  for (const number of numbers) if (match[number] !== undefined) return match[number]
  return undefined
}
