import { compareDecimals, type Decimal, parseDecimal } from './decimal.ts'
import type { Order } from './order.ts'

/** Ascending: the largest number first. Exact, however many digits. */
export function numericalOrder(order: 'Ascending' | 'Descending'): Order<Decimal> {
  const sign = order === 'Ascending' ? 1 : -1
  return {
    description: `numerical ${order}`,
    needsDigests: false,
    read: ({ version }) => {
      const decimal = parseDecimal(version)
      return decimal ? { text: decimal.text, score: sign * decimal.score } : 'NotANumber'
    },
    refuse: () => undefined,
    compare: (a, b) => sign * compareDecimals(a, b),
  }
}
