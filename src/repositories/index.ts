export { managedName } from './managed.ts'
export { type Repositories, type RepositoriesOptions, startRepositories } from './repositories.ts'
export * from './types.ts'
