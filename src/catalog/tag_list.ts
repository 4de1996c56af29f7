import { isTag } from '../images/index.ts'
import { compareTexts, eachOf, sorted, type Work } from '../pieces/index.ts'

/** So many tags are looked at before others may go first. */
export const AT_ONCE = 2_000

/** How one list of tags became another. */
export interface TagChange {
  readonly from: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** The tags that a reference can name, in byte order, each once. A new array. */
export function* sortTags(listed: readonly string[]): Work<string[]> {
  const tags: string[] = []
  yield* eachOf(listed.values(), AT_ONCE, (tag) => {
    if (typeof tag === 'string' && isTag(tag)) tags.push(tag)
  })
  if (isSorted(tags)) {
    return tags
  }
  // Tags are ASCII, for which the order of units is byte order.
  const inOrder = yield* sorted(tags, compareTexts)
  return inOrder.filter((tag, index) => tag !== inOrder[index - 1])
}

/** In byte order, each once. */
export function isSorted(tags: readonly string[]): boolean {
  for (let index = 1; index < tags.length; index += 1) {
    if (tags[index - 1]! >= tags[index]!) return false
  }
  return true
}

/** Where a tag stands in a sorted list; -1 if it does not. */
export function indexOfTag(tags: readonly string[], tag: string): number {
  let low = 0
  let high = tags.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const there = tags[middle]!
    if (there === tag) return middle
    if (there < tag) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** What changed between two sorted lists; undefined if nothing did. */
export function* compareTags(
  from: readonly string[],
  to: readonly string[],
): Work<TagChange | undefined> {
  const added: string[] = []
  const removed: string[] = []
  let old = 0
  let now = 0
  while (old < from.length || now < to.length) {
    if ((old + now) % AT_ONCE === AT_ONCE - 1) yield
    const before = from[old]
    const after = to[now]
    if (before === after) {
      old += 1
      now += 1
    } else if (after === undefined || (before !== undefined && before < after)) {
      removed.push(before!)
      old += 1
    } else {
      added.push(after)
      now += 1
    }
  }
  return added.length > 0 || removed.length > 0 ? { from, added, removed } : undefined
}
