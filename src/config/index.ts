export { VARIABLES, type Variable } from './environment.ts'
export { type ConfigSources, loadConfig } from './load.ts'
export { CONFIG_SCHEMA, type Setting } from './schema.ts'
export type { ClusterSettings, Config } from './types.ts'
