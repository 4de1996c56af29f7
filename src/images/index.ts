export { displayImage } from './display.ts'
export { fieldAt } from './field_path.ts'
export { isDigest, isPath, isTag } from './grammar.ts'
export { parseImageField } from './image_field.ts'
export { findImages } from './occurrence.ts'
export { matchOccurrences } from './pairing.ts'
export { parsePlatform, platformOf } from './platform.ts'
export { escapeKey, pointerKeys, valueAt } from './pointer.ts'
export { localNames, type PullIdentity, pullIdentity } from './pull_identity.ts'
export { parseReference, respell } from './reference.ts'
export type { GroupKind, ImageField, ImageOccurrence, ImageReference } from './types.ts'
export {
  builtinKinds,
  groupOf,
  podSpecKeys,
  WORKLOAD_RESOURCES,
  type WorkloadResource,
} from './workload.ts'
