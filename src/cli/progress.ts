import { isScreen } from './output.ts'

/** One line that is written over again and again. Nothing, where nobody watches. */
export interface Progress {
  show(line: () => string): void
  /** Takes the line away. */
  end(): void
}

/** ms between two looks of the line */
const PACE = 100
const CLEAR = '\r\u001b[K'

/** @param stream standard error: only a screen gets progress */
export function createProgress(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>,
  clock: () => number = Date.now,
): Progress {
  if (!isScreen(stream)) return { show() {}, end() {} }
  let last = 0
  let shown = false
  return {
    show(line) {
      const now = clock()
      if (now - last < PACE) return
      last = now
      shown = true
      stream.write(CLEAR + line().slice(0, Math.max(20, stream.columns || 80) - 1))
    },
    end() {
      if (shown) stream.write(CLEAR)
      shown = false
    },
  }
}

/** `about 12s left`, from what is done of all; empty while nobody can say. */
export function timeLeft(done: number, all: number, took: number): string {
  if (done === 0 || done >= all || took < 1_000) return ''
  const seconds = Math.ceil((took / done) * (all - done) * 0.001)
  const minutes = Math.floor(seconds / 60)
  return `about ${minutes > 0 ? `${minutes}m ` : ''}${seconds % 60}s left`
}
