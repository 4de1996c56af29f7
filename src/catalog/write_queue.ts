/** Collects names and hands them, one at a time, to a function that writes them. */
export interface WriteQueue {
  /** The name will be written within `delay` ms; asking again never makes that later. */
  add(name: string, delay: number): void
  /** Writes all that waits, now; resolves when it is done. */
  flush(): Promise<void>
  /** Flushes, and takes nothing more. */
  close(): Promise<void>
}

/** @param write must not reject */
export function createWriteQueue(write: (name: string) => Promise<void>): WriteQueue {
  const due = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let timerAt = Number.POSITIVE_INFINITY
  let last: Promise<void> = Promise.resolve()
  let closed = false

  function arm(at: number): void {
    if (at >= timerAt) return
    clearTimeout(timer)
    timerAt = at
    timer = setTimeout(expire, Math.max(0, at - performance.now())).unref()
  }

  function expire(): void {
    timerAt = Number.POSITIVE_INFINITY
    void drain(performance.now())
    for (const at of due.values()) arm(at)
  }

  /** Each drain waits for the one before, so that no two write the same file. */
  function drain(until: number): Promise<void> {
    const names = Array.from(due).filter(([, at]) => at <= until)
    for (const [name] of names) due.delete(name)
    last = last.then(async () => {
      for (const [name] of names) await write(name)
    })
    return last
  }

  return {
    add(name, delay) {
      if (closed) return
      const at = Math.min(due.get(name) ?? Number.POSITIVE_INFINITY, performance.now() + delay)
      due.set(name, at)
      arm(at)
    },
    flush: () => drain(Number.POSITIVE_INFINITY),
    async close() {
      closed = true
      clearTimeout(timer)
      await drain(Number.POSITIVE_INFINITY)
    },
  }
}
