import { type ClosingPolicy, requirementsOf } from './closed_namespaces.ts'

/** So long a namespace stays closed after no policy asks for that any more, in ms. */
export const LINGER = 5_000

/** Policies that close, and those that did until lately. */
export interface Lingering {
  /** those that close now; @returns them and the others, and the ms until the next one opens */
  add(
    policies: readonly ClosingPolicy[],
    now: number,
  ): { readonly policies: readonly ClosingPolicy[]; readonly again: number | undefined }
}

/**
 * Closing is written at once, opening a little later: so a policy that says one thing and then the
 * other, again and again, does not make the API server load new configurations each time.
 */
export function createLingering(): Lingering {
  const opening = new Map<string, { policy: ClosingPolicy; at: number }>()
  let before = new Map<string, ClosingPolicy>()
  return {
    add(policies, now) {
      const closing = new Map(
        policies
          .filter(({ onUnavailable }) => onUnavailable === 'Deny')
          .map((policy) => [whatCloses(policy), policy]),
      )
      for (const [key, policy] of before) {
        if (!closing.has(key)) opening.set(key, { policy, at: now + LINGER })
      }
      before = closing
      for (const [key, { at }] of opening) {
        if (closing.has(key) || at <= now || at > now + LINGER) opening.delete(key)
      }
      const held = [...opening.values()]
      return {
        policies: [...closing.values(), ...held.map(({ policy }) => policy)],
        again: held.length === 0 ? undefined : Math.min(...held.map(({ at }) => at - now)),
      }
    },
  }
}

function whatCloses({ namespace, namespaceSelector }: ClosingPolicy): string {
  return namespace ?? JSON.stringify(requirementsOf(namespaceSelector ?? {}))
}
