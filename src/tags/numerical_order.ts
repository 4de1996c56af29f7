import { compareDecimals, type Decimal, parseDecimal } from './decimal.ts'
import type { Order } from './order.ts'

/** Ascending: the largest number first. Exact, however many digits. */
export function numericalOrder(order: 'Ascending' | 'Descending'): Order<Decimal> {
  const sign = order === 'Ascending' ? 1 : -1
  return {
    description: `numerical ${order}`,
    unreadable: 'NotANumber',
    needsDigests: false,
    read: ({ version }) => {
      const decimal = parseDecimal(version)
      return sign < 0 && decimal ? { text: decimal.text, score: -decimal.score } : decimal
    },
    refuse: () => undefined,
    compare: (a, b) => sign * compareDecimals(a, b),
  }
}
