import Type, { type TProperties } from 'typebox'

/** A closed object: an unknown key is an error. */
export function object<const P extends TProperties>(properties: P, options: object = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options })
}

/** One of a few words. */
export function choice<const V extends readonly string[]>(
  values: V,
  description: string,
  fallback?: V[number],
) {
  return Type.Unsafe<V[number]>({
    type: 'string',
    enum: values,
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
  })
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names */
export const objectName = Type.String({
  minLength: 1,
  maxLength: 253,
  pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
  remedy: 'Use lower-case letters, digits, "-" and "."',
  examples: ['web'],
})

/** A Secret by its name. */
export function secretReference(description: string) {
  return object(
    {
      name: Type.String({
        ...objectName,
        description: 'Name of the Secret.',
        examples: ['registry'],
      }),
    },
    { description },
  )
}

const namespaceName = Type.String({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
  remedy: 'Use lower-case letters, digits and "-"',
})

/** Name and namespace of a foreign object; other fields are let through. */
export const Metadata = Type.Object({ name: objectName, namespace: Type.Optional(namespaceName) })

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
const OBJECT_META = [
  'generateName',
  'labels',
  'annotations',
  'finalizers',
  'managedFields',
  'ownerReferences',
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'resourceVersion',
  'selfLink',
  'uid',
]

/** The same, closed: a misspelt namespace would put a policy into another one. */
const OwnMetadata = object({
  ...Metadata.properties,
  ...Object.fromEntries(OBJECT_META.map((name) => [name, Type.Optional(Type.Unknown())])),
})

/** What stands around the spec of a tagwarden.io object. */
function envelope(specFields: string) {
  return object({
    apiVersion: Type.String(),
    kind: Type.String(),
    metadata: Type.Unsafe<object>({ ...OwnMetadata, remedy: 'Write name under metadata' }),
    spec: Type.Unsafe<object>({ type: 'object', remedy: `Write ${specFields} under spec` }),
    status: Type.Optional(Type.Unknown()),
  })
}

export const PolicyEnvelope = envelope('images and order')
export const RepositoryEnvelope = envelope('image')
export const ExceptionEnvelope = envelope('images, reason and expires')
