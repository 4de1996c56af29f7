export { openPolicyFolder, type PolicyFolder, type PolicyFolderOptions } from './policy_folder.ts'
export { type LoadedPolicies, loadPolicies, type PolicyPaths } from './policy_reader.ts'
