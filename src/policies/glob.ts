/**
 * Whether a sequence fits a pattern in which some parts stand for any number of items, none
 * included. Needs at most pattern x sequence steps, whatever the pattern is.
 */
function fits<P, T>(
  pattern: ArrayLike<P>,
  sequence: ArrayLike<T>,
  isStar: (part: P) => boolean,
  isEqual: (part: P, item: T) => boolean,
): boolean {
  let at = 0
  let star = -1
  let resume = 0
  for (let i = 0; i < sequence.length; ) {
    if (at < pattern.length && isStar(pattern[at]!)) {
      star = at++
      resume = i
    } else if (at < pattern.length && isEqual(pattern[at]!, sequence[i]!)) {
      at += 1
      i += 1
    } else if (star >= 0) {
      at = star + 1
      i = ++resume
    } else {
      return false
    }
  }
  while (at < pattern.length && isStar(pattern[at]!)) at += 1
  return at === pattern.length
}

/** Whether a text fits a pattern in which `*` stands for any text. */
export function matchText(pattern: string, text: string): boolean {
  return fits(
    pattern,
    text,
    (part) => part === '*',
    (part, item) => part === item,
  )
}

/** The same for paths: `*` within a segment, `**` as a segment for any number of segments. */
export function matchPath(pattern: readonly string[], path: readonly string[]): boolean {
  return fits(pattern, path, (part) => part === '**', matchText)
}
