export { audit } from './audit.ts'
export type * from './types.ts'
