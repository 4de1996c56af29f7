import type { Enforcement } from '../policies/types.ts'

/** How much a finding counts, the worst first: `deny` is what the webhook refuses. */
export const LEVELS = Object.freeze(['deny', 'warn', 'audit'] as const)
export type Level = (typeof LEVELS)[number]

/** The level of what breaks a policy that is enforced so. */
export const LEVEL_OF: Readonly<Record<Enforcement, Level>> = {
  Enforce: 'deny',
  Warn: 'warn',
  Audit: 'audit',
}

/** Undefined: there are none. */
export function worstLevel(levels: readonly Level[]): Level | undefined {
  return LEVELS.find((level) => levels.includes(level))
}

/** Denials, then warnings, then notes; as they came within each. */
export function worstFirst<T extends { readonly level: Level }>(findings: readonly T[]): T[] {
  return LEVELS.flatMap((level) => findings.filter((each) => each.level === level))
}
