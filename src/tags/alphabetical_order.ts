import { compareBytes } from './byte_order.ts'
import type { Key, Order } from './order.ts'

interface Text extends Key {
  readonly text: string
}

/** Ascending: the text that comes last in byte order (UTF-8) first. */
export function alphabeticalOrder(order: 'Ascending' | 'Descending'): Order<Text> {
  const sign = order === 'Ascending' ? 1 : -1
  return {
    description: `alphabetical ${order}`,
    needsDigests: false,
    read: ({ version }) => ({ score: 0, text: version }),
    refuse: () => undefined,
    compare: (a, b) => sign * compareBytes(a.text, b.text),
  }
}
