import { childOf, valueBelow } from './pointer.ts'
import type { GroupKind } from './types.ts'
import { podSpecKeys } from './workload.ts'

/** As whom a pod's images are pulled. */
export interface PullIdentity {
  readonly serviceAccountName: string
  /** names of Secrets, in the order of the pod spec */
  readonly imagePullSecrets: readonly string[]
}

const DEFAULT_ACCOUNT = 'default'
/** Of more, the first ones count. */
const MOST_SECRETS = 100

/**
 * The service account and the pull secrets that an object's pods have; undefined for a kind that
 * has no pod spec known by itself. Never throws, whatever the object looks like.
 */
export function pullIdentity(object: unknown, groupKind: GroupKind): PullIdentity | undefined {
  const keys = podSpecKeys(groupKind)
  if (keys === undefined) return undefined
  const spec = valueBelow(object, keys)
  const account = childOf(spec, 'serviceAccountName') || childOf(spec, 'serviceAccount')
  return {
    serviceAccountName: typeof account === 'string' ? account : DEFAULT_ACCOUNT,
    imagePullSecrets: localNames(childOf(spec, 'imagePullSecrets')),
  }
}

/** The names in a list of references to objects of the same namespace, as far as they are texts. */
export function localNames(list: unknown): readonly string[] {
  const entries = Array.isArray(list) ? list.slice(0, MOST_SECRETS) : []
  return entries.flatMap((entry) => {
    const name = childOf(entry, 'name')
    return typeof name === 'string' && name !== '' ? name : []
  })
}
