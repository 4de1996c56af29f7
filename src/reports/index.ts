export { DRIFT_CODES, DRIFT_HELP } from './drift_codes.ts'
export { FORMS, type Form, type FormatOptions, formatReport } from './forms.ts'
export type * from './types.ts'
