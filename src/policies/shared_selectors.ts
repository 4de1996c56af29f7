import { createWeakCache } from '../pieces/index.ts'
import { compileRule } from '../tags/index.ts'
import type { TagRule, TagSelector } from '../tags/types.ts'

/** Compiles a rule, or gives the selector of an equal one. Throws what compileRule() does. */
export type SelectorOf = (rule: TagRule) => TagSelector

/**
 * Policies with the same rule share one selector, and so one ranking of each repository. Keep one
 * for compiling again and again: selectors that no policy uses any more are let go.
 */
export function sharedSelectors(): SelectorOf {
  const selectors = createWeakCache<TagSelector>()
  return (rule) => selectors(JSON.stringify(rule), () => compileRule(rule))
}
