/**
 * 16 hex digits that change with the text. Two rounds of 32-bit FNV-1a with different seeds and a
 * final mix: for telling versions apart, not for security.
 */
export function contentHash(text: string): string {
  let low = 0x811c9dc5
  let high = 0x9747b28c
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code, 0x85ebca6b)
  }
  return hex(low ^ (high >>> 15)) + hex(high ^ (low >>> 13))
}

function hex(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0')
}
