import { type Entry, placeOf } from './entries.ts'

export type SortKey = 'level' | 'place' | 'image' | 'reason'

/** What is asked for by the controls of the page. */
export interface Wish {
  readonly levels: ReadonlySet<number>
  readonly group: string
  readonly reason: string
  readonly words: readonly string[]
  readonly sort: SortKey
  readonly descending: boolean
}

/** The entries that are wished for, in the order that is wished for. */
export function select(entries: readonly Entry[], wish: Wish): Entry[] {
  const found = entries.filter((entry) => isWished(entry, wish))
  const compare = COMPARE[wish.sort]
  const sign = wish.descending ? -1 : 1
  return found.sort((a, b) => sign * compare(a, b) || a.index - b.index)
}

function isWished(entry: Entry, { levels, group, reason, words }: Wish): boolean {
  if (!levels.has(entry.level)) return false
  if (group !== '' && entry.group !== group) return false
  if (reason !== '' && entry.reason !== reason) return false
  if (words.length === 0) return true
  if (entry.haystack === '') {
    const { subject, container, image, use, message, policy, fingerprint } = entry
    const parts = [placeOf(entry), subject, container, image, use, entry.reason, message, policy]
    entry.haystack = `${parts.join('\n')}\n${fingerprint}`.toLowerCase()
  }
  return words.every((word) => entry.haystack.includes(word))
}

const COMPARE: Readonly<Record<SortKey, (a: Entry, b: Entry) => number>> = {
  level: (a, b) => a.level - b.level,
  place: (a, b) =>
    order(a.file, b.file) ||
    a.line - b.line ||
    order(a.subject, b.subject) ||
    order(a.container, b.container),
  image: (a, b) => order(a.image, b.image),
  reason: (a, b) => order(a.reason, b.reason),
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
