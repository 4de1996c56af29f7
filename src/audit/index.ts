export { type Affected, type AffectedImage, affectedBy } from './affected.ts'
export { audit } from './audit.ts'
export {
  type AuditState,
  type BackgroundAudit,
  type BackgroundAuditOptions,
  createBackgroundAudit,
} from './background.ts'
export { type PolicyReport, type PolicyResult, policyReportsOf } from './policy_reports.ts'
export type * from './types.ts'
