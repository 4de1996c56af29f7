import { gzipSync } from 'node:zlib'

const BLOCK = 512

/** A POSIX ustar archive with one file. */
export function tarOf(path: string, text: string): Buffer {
  const content = Buffer.from(text)
  const header = Buffer.alloc(BLOCK)
  header.write(path, 0)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write(`${'0'.repeat(11)}\0`, 136)
  header.write('        0', 148)
  header.write('ustar\x0000', 257)
  const checksum = header.reduce((sum, byte) => sum + byte, 0)
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148)
  const padding = (BLOCK - (content.length % BLOCK)) % BLOCK
  return Buffer.concat([header, content, Buffer.alloc(padding + 2 * BLOCK)])
}

/** Gzip that is the same everywhere: stored, not deflated, and silent on the machine it is from. */
export function gzipOf(bytes: Buffer): Buffer {
  const gzip = gzipSync(bytes, { level: 0 })
  // RFC 1952 section 2.3: XFL and OS
  gzip.set([0, 255], 8)
  return gzip
}
