/** Reasons of the conditions of an ImagePolicy and a ClusterImagePolicy. A closed list. */
export const POLICY_REASONS = [
  'Accepted',
  'Scanning',
  'RegistryUnavailable',
  'NoPermittedTag',
  'Conflict',
  'InvalidPolicy',
] as const

/** Reasons of the conditions of an ImagePolicyException. A closed list. */
export const EXCEPTION_REASONS = ['Active', 'ExpiresSoon', 'Expired', 'InvalidException'] as const

export type Reason = (typeof POLICY_REASONS)[number] | (typeof EXCEPTION_REASONS)[number]
