export { type ApiAnswer, type ApiRequest, answerApi, refuse } from './distribution_api.ts'
export { type EmbeddedRegistry, startEmbeddedRegistry } from './embedded_registry.ts'
export { addImage, type ImageRecipe } from './image.ts'
export {
  addManifest,
  createStoredRepository,
  type StoredManifest,
  type StoredRepository,
} from './stored_repository.ts'
