export { type ScanSettings, scanSettingsOf } from './scan_settings.ts'
export {
  createScanner,
  type ScanListener,
  type ScanLog,
  type Scanner,
  type ScannerOptions,
} from './scanner.ts'
