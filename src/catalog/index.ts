export { type Catalog, createCatalog, type KnownManifest } from './catalog.ts'
export { accessOfKey, describeKey, nameOfKey, repositoryKey } from './key.ts'
