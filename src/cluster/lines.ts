const NEWLINE = 0x0a

/** Cuts a stream into lines. */
export interface LineSplitter {
  /**
   * The lines that end in this chunk, without their ends. What comes after the last one is kept.
   *
   * @throws RangeError when a line is longer than the limit
   */
  push(chunk: Buffer): Buffer[]
}

/** Lines are cut before they are decoded, so that no character is ever cut. */
export function createLineSplitter(limit: number): LineSplitter {
  let kept: Buffer[] = []
  let size = 0

  return {
    push(chunk) {
      const lines: Buffer[] = []
      let start = 0
      for (;;) {
        const end = chunk.indexOf(NEWLINE, start)
        const part = chunk.subarray(start, end < 0 ? chunk.length : end)
        size += part.length
        if (size > limit) throw new RangeError(`a line is longer than ${limit} bytes`)
        if (end < 0) {
          if (part.length > 0) kept.push(part)
          return lines
        }
        const line = kept.length === 0 ? part : Buffer.concat([...kept, part])
        if (line.length > 0) lines.push(line)
        kept = []
        size = 0
        start = end + 1
      }
    },
  }
}
