/** Compares as `<` does, by UTF-16 code units; negative: `a` comes first. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
