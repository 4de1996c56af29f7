export { convertDocuments } from './convert.ts'
export { conversionText, fileName, objectText } from './document.ts'
export type { Conversion, Converted, LeftOut, NativeObject } from './types.ts'
