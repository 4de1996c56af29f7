export { accepting, readBaseline, writeBaseline } from './baseline.ts'
export { keyedSource, offlineSource } from './fact_lookups.ts'
export type { ReviewedFile } from './file_review.ts'
export { notEmpty, openFile, streamText } from './file_text.ts'
export type { Fixing } from './fix_plan.ts'
export { createFunnelBook, type FunnelBook } from './funnel_book.ts'
export { type GitChanges, gitChanges, type ReviewedPaths } from './git_changes.ts'
export { createPatterns } from './ignore_rules.ts'
export { itemValue } from './list_items.ts'
export { createScope, type FileChoice, findManifests, type ManifestFile } from './manifest_files.ts'
export { type Labels, namespaceLabelsIn } from './namespace_labels.ts'
export {
  type ManifestInput,
  type ManifestReview,
  type ManifestReviewOptions,
  type ReviewProgress,
  reviewManifests,
} from './review.ts'
export { fixedText, noFile, replace, rewriteFile } from './rewrite.ts'
export { unifiedDiff } from './unified_diff.ts'
