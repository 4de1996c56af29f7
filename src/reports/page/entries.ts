/** What the page is given: texts once each, and rows of places in that list. */
export interface PageData {
  readonly texts: readonly string[]
  /** see `decode` */
  readonly rows: readonly (readonly number[])[]
  /** by reason code: what it is, what it means, and what to do */
  readonly reasons: Readonly<Record<string, readonly [string, string, string]>>
  readonly funnels: readonly Funnel[]
}

export interface Funnel {
  readonly repository: string
  readonly policy: string
  readonly steps: readonly (readonly [label: string, count: number])[]
  readonly chosen: readonly [tag: string, digest: string] | null
  readonly losers: readonly (readonly [tag: string, reason: string])[]
  readonly scanned: string
}

/** One row of the table. Empty texts stand for what there is not. */
export interface Entry {
  readonly index: number
  /** place in LEVELS */
  readonly level: number
  readonly reason: string
  readonly message: string
  readonly subject: string
  readonly group: string
  readonly container: string
  readonly image: string
  readonly use: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly policy: string
  readonly pointer: string
  readonly fingerprint: string
  readonly funnel: Funnel | undefined
  /** all that is searched, in lower case; made when it is first needed */
  haystack: string
}

/** Worst first: name for classes, and what is shown. */
export const LEVELS = [
  ['deny', 'Denied'],
  ['warn', 'Warning'],
  ['audit', 'Note'],
  ['move', 'Would change'],
  ['gone', 'Would be no more'],
  ['accepted', 'Accepted'],
] as const

export function decode({ texts, rows, funnels }: PageData): Entry[] {
  const text = (row: readonly number[], place: number): string => texts[row[place] ?? 0] ?? ''
  return rows.map((row, index) => ({
    index,
    level: row[0] ?? 0,
    reason: text(row, 1),
    message: text(row, 2),
    subject: text(row, 3),
    group: text(row, 4),
    container: text(row, 5),
    image: text(row, 6),
    use: text(row, 7),
    file: text(row, 8),
    line: row[9] ?? 0,
    column: row[10] ?? 0,
    policy: text(row, 11),
    pointer: text(row, 12),
    fingerprint: text(row, 13),
    funnel: funnels[row[14] ?? -1],
    haystack: '',
  }))
}

/** `deploy/web.yaml:12:16`; empty where there is no file. */
export function placeOf({ file, line, column }: Entry): string {
  return file === '' ? '' : `${file}:${line}:${column}`
}
