export { DRIFT_CODES, DRIFT_HELP } from './drift_codes.ts'
export { FORMS, type Form, formatReport } from './forms.ts'
export type { FormatOptions } from './options.ts'
export type * from './types.ts'
