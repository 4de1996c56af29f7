export { type Gathering, settle } from './settle.ts'
