export { secretStore } from './secret_store.ts'
