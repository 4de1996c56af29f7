import { eachOf, hashText, type Work } from '../pieces/index.ts'

/** A sum over a set of texts that does not depend on their order. Two numbers of 32 bits. */
export interface ContentSum {
  readonly high: number
  readonly low: number
}

export const EMPTY_SUM: ContentSum = { high: 0, low: 0 }
/** So many texts are added up before others may go first. */
const AT_ONCE = 1_000

/** The sum with some texts put in and others taken out. */
export function changeSum(
  sum: ContentSum,
  added: Iterable<string>,
  removed: Iterable<string>,
): ContentSum {
  let { high, low } = sum
  for (const text of added) {
    high = (high + hashText(text, 0x811c9dc5)) >>> 0
    low = (low + hashText(text, 0x9e3779b9)) >>> 0
  }
  for (const text of removed) {
    high = (high - hashText(text, 0x811c9dc5)) >>> 0
    low = (low - hashText(text, 0x9e3779b9)) >>> 0
  }
  return { high, low }
}

/** What changeSum() does, as work that can be laid down. */
export function* changingSum(
  sum: ContentSum,
  added: Iterable<string>,
  removed: Iterable<string>,
): Work<ContentSum> {
  let result = sum
  yield* eachOf(added, AT_ONCE, (text) => {
    result = changeSum(result, [text], [])
  })
  yield* eachOf(removed, AT_ONCE, (text) => {
    result = changeSum(result, [], [text])
  })
  return result
}

/** Sixteen hex digits. */
export function formatSum(sum: ContentSum): string {
  const hex = (part: number) => part.toString(16).padStart(8, '0')
  return hex(sum.high) + hex(sum.low)
}
