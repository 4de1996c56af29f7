/** So many at once, and then one each so many ms. */
export interface TokenBucket {
  /** Takes one if there is one. */
  take(): boolean
  /** ms until there is one; 0 when there is one now */
  wait(): number
}

/** @param elapsed ms that never go back */
export function createTokenBucket(
  elapsed: () => number,
  { burst, interval }: { readonly burst: number; readonly interval: number },
): TokenBucket {
  let tokens = burst
  let at = elapsed()

  function fill(): void {
    const now = elapsed()
    tokens = Math.min(burst, tokens + (now - at) / interval)
    at = now
  }

  return {
    take() {
      fill()
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
    wait() {
      fill()
      return tokens >= 1 ? 0 : Math.ceil((1 - tokens) * interval)
    },
  }
}
