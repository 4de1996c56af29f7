export { DRIFT_CODES, DRIFT_HELP } from './drift_codes.ts'
export { formatReport } from './forms.ts'
export type { FormatOptions } from './options.ts'
export * from './types.ts'
