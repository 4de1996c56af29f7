import { isDeepStrictEqual } from 'node:util'
import type { Condition } from '../policies/types.ts'

/** A condition without its times. */
export type Said = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

/** Conditions with their times: when each last changed its status. */
export function settled(
  conditions: readonly Said[],
  before: readonly Condition[] | undefined,
  generation: number | undefined,
  now: number,
): Condition[] {
  return conditions.map((condition) => {
    const same = before?.find(
      ({ type, status }) => type === condition.type && status === condition.status,
    )
    return {
      ...condition,
      ...(generation !== undefined && { observedGeneration: generation }),
      lastTransitionTime: same?.lastTransitionTime ?? timeText(now),
    }
  })
}

/** The fields of a status that differ, as a JSON Merge Patch: null for what is to go. */
export function changesOf(before: object, after: object): Record<string, unknown> {
  const [from, to] = [before as Record<string, unknown>, after as Record<string, unknown>]
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  return Object.fromEntries(
    keys
      .filter((key) => !isDeepStrictEqual(from[key], to[key]))
      .map((key) => [key, to[key] ?? null]),
  )
}

/** RFC 3339, to the second as Kubernetes writes it. */
export function timeText(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z')
}
