export { DRIFT_CODES } from './drift_codes.ts'
export { formatReport } from './forms.ts'
export type { FormatOptions } from './options.ts'
export * from './types.ts'
