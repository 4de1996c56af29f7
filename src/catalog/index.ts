export { type Catalog, createCatalog, type KnownManifest } from './catalog.ts'
