export { compilePattern, limitTogether, type Pattern } from './pattern.ts'
export { compileRule } from './rule.ts'
export { unknownGroups } from './template.ts'
export type {
  Candidate,
  DigestOf,
  FunnelCounts,
  Ranking,
  TagOrder,
  TagReason,
  TagRule,
  TagSelector,
  TagVerdict,
} from './types.ts'
