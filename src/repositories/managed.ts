import { createHash } from 'node:crypto'
import { accessOfKey, nameOfKey } from '../catalog/index.ts'
import { IMAGE_REPOSITORIES, typeMetaOf } from '../cluster/index.ts'
import { isSecretName } from '../credentials/index.ts'
import type { CompiledPolicy, PolicySet } from '../policies/types.ts'
import { type ImageRepository, MANAGED_LABEL } from './types.ts'

/** One that nothing used for so long, in ms, is removed. */
const UNUSED = 24 * 3_600_000

/**
 * The ImageRepository that Tagwarden makes for a key of the catalog: in its own namespace for what
 * it reads with its own access, else beside the pull secret that reads it.
 *
 * @returns undefined for an access that is no Secret's
 */
export function managedRepository(
  key: string,
  ownNamespace: string,
  interval: number,
): ImageRepository | undefined {
  const image = nameOfKey(key)
  const access = accessOfKey(key)
  const [namespace, secret, ...more] = access?.split('/') ?? [ownNamespace]
  if (namespace === undefined || more.length > 0) return undefined
  if (access !== undefined && !isSecretName(secret)) return undefined
  return {
    ...typeMetaOf(IMAGE_REPOSITORIES),
    metadata: { name: managedName(key), namespace, labels: { [MANAGED_LABEL]: 'true' } },
    spec: {
      image,
      interval: durationText(interval),
      ...(secret !== undefined && { secretRef: { name: secret } }),
    },
  }
}

/** Readable, and different for every key: `web-1f3870be`. */
export function managedName(key: string): string {
  const last = nameOfKey(key).split('/').at(-1) ?? ''
  const readable = last.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '')
  const sum = createHash('sha256').update(key).digest('hex').slice(0, 8)
  return `${readable.slice(0, 50).replace(/-+$/, '') || 'repository'}-${sum}`
}

export function isManaged({ metadata }: ImageRepository): boolean {
  return metadata.labels?.[MANAGED_LABEL] === 'true'
}

/**
 * Whether an ImageRepository that Tagwarden made is needed no more: no policy covers it, or a day
 * has passed since it was made and since a workload used it. What a policy names stays, and what
 * one promotes continuously: a workload that nobody applies again still waits for new versions.
 */
export function isObsolete(
  object: ImageRepository,
  covering: readonly CompiledPolicy[],
  isNamed: boolean,
  now: number,
): boolean {
  if (!isManaged(object) || isNamed) return false
  if (covering.length === 0) return true
  if (covering.some(({ promote }) => promote === 'Continuously')) return false
  const times = [object.metadata.creationTimestamp, object.status?.lastUsedTime]
  return times.every((time) => !(now - Date.parse(time ?? '') <= UNUSED))
}

/** The policies that count for an object: those of its namespace where a Secret of that reads it. */
export function policiesFor(
  { covering }: PolicySet,
  key: string,
  namespace: string | undefined,
): readonly CompiledPolicy[] {
  const policies = covering(nameOfKey(key))
  return accessOfKey(key) === undefined
    ? policies
    : policies.filter((policy) => policy.namespace === undefined || policy.namespace === namespace)
}

function durationText(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${Math.max(1, Math.round(ms / 1000))}s`
}
