export { managedName } from './managed.ts'
export { type Repositories, type RepositoriesOptions, startRepositories } from './repositories.ts'
export { readSharedIndex, type SharedIndex } from './shared_index.ts'
export * from './types.ts'
