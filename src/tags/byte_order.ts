import { compareTexts } from '../pieces/index.ts'

const SURROGATE_OR_BEYOND = /[\ud800-\uffff]/

/** Compares as the UTF-8 bytes of the texts do; negative: `a` comes first. */
export function compareBytes(a: string, b: string): number {
  if (SURROGATE_OR_BEYOND.test(a) && SURROGATE_OR_BEYOND.test(b)) {
    return compareCodePoints(a, b)
  }
  return compareTexts(a, b)
}

function compareCodePoints(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) {
      return inCodePointOrder(x) - inCodePointOrder(y)
    }
  }
  return a.length - b.length
}

// UTF-16 sorts surrogates (code points from U+10000) before U+E000; UTF-8 sorts them last.
function inCodePointOrder(unit: number): number {
  if (unit < 0xd800) {
    return unit
  }
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
