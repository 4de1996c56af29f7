import { compareTexts } from '../pieces/index.ts'

/** A decimal number of any length, exact. */
export interface Decimal {
  /** the nearest number: never falls as decimals rise */
  readonly score: number
  readonly text: string
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/

/** Reads digits with an optional minus and an optional fraction; leading zeros do not count. */
export function parseDecimal(text: string): Decimal | undefined {
  return DECIMAL.test(text) ? { score: Number(text), text } : undefined
}

/** Compares by exact value, whatever the scores say; negative: `a` is the smaller. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.text === b.text) {
    return 0
  }
  const x = split(a.text)
  const y = split(b.text)
  if (x.sign !== y.sign) {
    return x.sign - y.sign
  }
  return (
    x.sign *
    (x.whole.length - y.whole.length || compareTexts(x.whole + x.fraction, y.whole + y.fraction))
  )
}

/** -1, 0 or 1; digits without the zeros that do not count. */
function split(text: string) {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const digits = { whole: whole.replace(/^0+/, ''), fraction: fraction.replace(/0+$/, '') }
  const isZero = digits.whole === '' && digits.fraction === ''
  return { ...digits, sign: isZero ? 0 : text.startsWith('-') ? -1 : 1 }
}
