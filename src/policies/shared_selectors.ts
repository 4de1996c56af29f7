import { compileRule } from '../tags/index.ts'
import type { TagRule, TagSelector } from '../tags/types.ts'

/** Compiles a rule, or gives the selector of an equal one. Throws what compileRule() does. */
export type SelectorOf = (rule: TagRule) => TagSelector

/**
 * Policies with the same rule share one selector, and so one ranking of each repository. Keep one
 * for compiling again and again: selectors that no policy uses any more are let go.
 */
export function sharedSelectors(): SelectorOf {
  const selectors = new Map<string, WeakRef<TagSelector>>()
  let sweepAt = 1_000
  return (rule) => {
    const key = JSON.stringify(rule)
    const known = selectors.get(key)?.deref()
    if (known !== undefined) return known
    const selector = compileRule(rule)
    if (selectors.size >= sweepAt) {
      for (const [each, reference] of selectors) {
        if (reference.deref() === undefined) selectors.delete(each)
      }
      sweepAt = Math.max(1_000, selectors.size * 2)
    }
    selectors.set(key, new WeakRef(selector))
    return selector
  }
}
