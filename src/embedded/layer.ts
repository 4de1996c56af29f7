import { crc32 } from 'node:zlib'

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

/**
 * Gzip of one stored block, of less than 64 KiB: the same bytes on every machine, and without the
 * memory that a compressor takes.
 *
 * Source: RFC 1952 section 2.3, RFC 1951 section 3.2.4.
 */
export function gzipOf(bytes: Buffer): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1, 0, 0, 0, 0])
  header.writeUInt16LE(bytes.length, 11)
  header.writeUInt16LE(bytes.length ^ 0xffff, 13)
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(bytes), 0)
  trailer.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([header, bytes, trailer])
}
