export { openRegistration } from './registration.ts'
export type { ClusterRegistration, Registration } from './types.ts'
