export { type Selection, type StatusFacts, statusOf } from './status.ts'
export * from './types.ts'
