export { FORMS, type Form, type FormatOptions, formatReport } from './forms.ts'
export type * from './types.ts'
