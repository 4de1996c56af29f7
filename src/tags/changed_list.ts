/** The first index whose item does not stand before; the items that do come first. */
export function insertionPoint<T>(list: readonly T[], isBefore: (item: T) => boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(list[middle] as T)) {
      low = middle + 1
    } else {
      high = middle
    }
  }
  return low
}

/** An item, and the index in the unchanged list that it goes before. */
export interface Insertion<T> {
  readonly at: number
  readonly item: T
}

/**
 * A copy of a list with some items left out and some put in. Costs a pass over the list that only
 * copies pointers.
 *
 * @param dropped indexes, ascending
 * @param insertions ascending by `at`
 */
export function changedList<T>(
  list: readonly T[],
  dropped: readonly number[],
  insertions: readonly Insertion<T>[],
): T[] {
  const result = new Array<T>(list.length - dropped.length + insertions.length)
  let drop = 0
  let insert = 0
  let end = 0
  for (let i = 0; i <= list.length; i++) {
    for (; insertions[insert]?.at === i; insert++) {
      result[end++] = (insertions[insert] as Insertion<T>).item
    }
    if (dropped[drop] === i) {
      drop++
    } else if (i < list.length) {
      result[end++] = list[i] as T
    }
  }
  return result
}
