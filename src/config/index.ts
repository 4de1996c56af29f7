export { parseDuration } from './durations.ts'
