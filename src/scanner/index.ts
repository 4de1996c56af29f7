export { createScanner, type ScanLog, type Scanner, type ScannerOptions } from './scanner.ts'
