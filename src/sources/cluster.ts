export {
  lackingLabels,
  overlaid,
  type PoliciesInForce,
  readPoliciesInForce,
} from './policies_in_force.ts'
export { openPolicyCluster, type PolicyClusterOptions } from './policy_cluster.ts'
