export { ClusterError, hasReason } from './cluster_error.ts'
export { openRegistration } from './registration.ts'
export * from './resources.ts'
export type * from './types.ts'
