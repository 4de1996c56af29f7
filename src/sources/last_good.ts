import type { ImagePolicyStatus } from '../policies/types.ts'
import type { SpecObject } from './policy_object.ts'

/** The last version of a policy that was right, as its status tells while the newest is wrong. */
export type LastGood = NonNullable<ImagePolicyStatus['inForce']>

/** The schema's limit. */
const LONGEST_SPEC = 262_144

/** A version for the status; undefined when it is too long for that. */
export function lastGoodOf(generation: number, spec: unknown): LastGood | undefined {
  const text = JSON.stringify(spec)
  return text.length > LONGEST_SPEC ? undefined : { generation, spec: text }
}

/**
 * The object as it was last right, where its status tells: a replica that starts while a policy is
 * wrong then decides as those do that have seen it right.
 */
export function asLastGood(
  object: SpecObject,
): { readonly generation: number; readonly object: SpecObject } | undefined {
  const { generation, spec }: Partial<LastGood> =
    (object.status as ImagePolicyStatus | null | undefined)?.inForce ?? {}
  if (typeof generation !== 'number' || typeof spec !== 'string') return undefined
  try {
    return { generation, object: { ...object, spec: JSON.parse(spec) } }
  } catch {
    return undefined
  }
}
