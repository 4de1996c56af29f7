export { type Affected, type AffectedImage, affectedBy } from './affected.ts'
export { audit } from './audit.ts'
export type * from './types.ts'
