export type { ScanLog } from './scan_report.ts'
export { type ScanSettings, scanSettingsOf } from './scan_settings.ts'
export {
  createScanner,
  type ScanListener,
  type Scanner,
  type ScannerOptions,
} from './scanner.ts'
