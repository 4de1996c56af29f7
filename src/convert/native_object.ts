import type { Converted, Fields, NativeObject, Source } from './types.ts'

/** What a spec has anyway; not written out. */
const DEFAULTS: Fields = {
  action: 'Track',
  reference: 'TagAndDigest',
  latest: 'Deny',
  movedTags: 'Warn',
  promote: 'OnApply',
}

/** A policy in the native form, without what has its default. */
export function nativePolicy(
  kind: 'ImagePolicy' | 'ClusterImagePolicy',
  namespace: string | undefined,
  name: string,
  spec: unknown,
): NativeObject {
  return {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind,
    metadata: withoutAbsent({ name, namespace }) as NativeObject['metadata'],
    spec: slim(spec as Fields),
  }
}

/** An ImageRepository that says with which Secret a repository is read. */
export function secretRepository({
  name,
  namespace,
  image,
  secret,
  source,
}: {
  readonly name: string
  readonly namespace: string | undefined
  readonly image: string
  readonly secret: string
  readonly source: Source
}): Converted {
  return {
    object: {
      apiVersion: 'tagwarden.io/v1alpha1',
      kind: 'ImageRepository',
      metadata: withoutAbsent({ name, namespace }),
      spec: { image, secretRef: { name: secret } },
    },
    sources: [source],
    notes: [],
  }
}

/** The same without fields that are undefined. */
export function withoutAbsent<T extends Fields>(fields: T): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as unknown as T
}

function slim(spec: Fields): Fields {
  const kept = Object.entries(spec).flatMap(([key, value]): [string, unknown][] => {
    if (value === undefined || DEFAULTS[key] === value) return []
    if (Array.isArray(value)) return value.length === 0 ? [] : [[key, value]]
    if (typeof value !== 'object' || value === null) return [[key, value]]
    const inner = slim(value as Fields)
    return Object.keys(inner).length === 0 && key === 'tags' ? [] : [[key, inner]]
  })
  return Object.fromEntries(kept)
}
