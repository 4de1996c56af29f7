export {
  type CompiledPolicies,
  type CompileOptions,
  compilePolicies,
  compilingEach,
} from './compile.ts'
export { type CronFault, type CronSchedule, parseCron } from './cron.ts'
export { LARGEST_FILE, type ObjectDocument, readDocuments } from './document.ts'
export type { PolicyDraft } from './draft.ts'
export { parseDuration } from './duration.ts'
export { type Flaw, formatPath, type Path, parsePath, printable, quote } from './flaw.ts'
export { joinFlux } from './flux.ts'
export { matchText } from './glob.ts'
export { readObject } from './kinds.ts'
export { documentOf, type ObjectType, readObjects } from './object.ts'
export { type ParsedPolicies, parsePolicies } from './parse.ts'
export type { PolicyResource, Reading } from './resource.ts'
export { type SelectorOf, sharedSelectors } from './shared_selectors.ts'
export { nearestName } from './spelling.ts'
export type {
  Action,
  ClusterImagePolicySpec,
  CompiledException,
  CompiledPolicy,
  CompiledRepository,
  Condition,
  Enforcement,
  ImagePolicyExceptionSpec,
  ImagePolicyExceptionStatus,
  ImagePolicySpec,
  ImagePolicyStatus,
  ImageRepositorySpec,
  ImageRepositoryStatus,
  LabelSelector,
  NamedObject,
  PolicySet,
  Promotion,
  PromotionWindow,
  ReferenceForm,
  Workload,
} from './types.ts'
export { type Schema, validate } from './validation.ts'
export { asksForLabels, UNKNOWN_LABELS } from './workload_filter.ts'
