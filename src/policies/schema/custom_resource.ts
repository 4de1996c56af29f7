import type { TSchema } from 'typebox'

/** How a kind is known to the API server. */
export interface CustomResource {
  readonly kind: string
  readonly plural: string
  readonly shortNames: readonly string[]
  readonly scope: 'Namespaced' | 'Cluster'
  readonly description: string
  readonly spec: TSchema
  readonly status: TSchema
  /** a column of priority 1 is shown by `kubectl get -o wide` only */
  readonly columns: readonly (readonly [
    name: string,
    jsonPath: string,
    type?: string,
    priority?: number,
  ])[]
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Keywords that a structural schema may not have. */
const NOT_STRUCTURAL = new Set(['additionalProperties', 'remedy', 'examples', 'least', 'most'])

/** What waits for a new object must wait until Tagwarden has seen it: `flux`, `kubectl wait`. */
const UNOBSERVED = { observedGeneration: -1 }

/**
 * The CustomResourceDefinition of a kind, as plain data. Its schema is structural: no $ref, no
 * closed objects (the API server prunes unknown fields), and a field with a default is not
 * required, as the API server fills it in first.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function customResourceDefinition(resource: CustomResource): Json {
  const { kind, plural, scope } = resource
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.tagwarden.io` },
    spec: {
      group: 'tagwarden.io',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: resource.shortNames,
        categories: ['tagwarden'],
      },
      scope,
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: resource.columns.map(
            ([name, jsonPath, type = 'string', priority]) => ({
              name,
              type,
              jsonPath,
              ...(priority && { priority }),
            }),
          ),
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: resource.description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: structural(resource.spec as unknown as Json),
                status: structural({
                  ...(resource.status as unknown as { readonly [key: string]: Json }),
                  default: UNOBSERVED,
                }),
              },
            },
          },
        },
      ],
    },
  }
}

function structural(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(structural)
  if (!isObject(schema)) return schema
  const entries = Object.entries(schema).flatMap(([keyword, value]): [string, Json][] => {
    if (keyword === 'properties' && isObject(value)) {
      const fields = Object.entries(value).map(([name, field]) => [name, structural(field)])
      return [[keyword, Object.fromEntries(fields)]]
    }
    if (keyword === 'required') {
      const names = (value as string[]).filter((name) => !hasDefault(schema, name))
      return names.length === 0 ? [] : [[keyword, names]]
    }
    if (keyword === 'default') return [[keyword, value]]
    if (NOT_STRUCTURAL.has(keyword) && !(keyword === 'additionalProperties' && isObject(value))) {
      return []
    }
    return [[keyword, structural(value)]]
  })
  return Object.fromEntries(entries)
}

function hasDefault(schema: { readonly [key: string]: Json }, name: string): boolean {
  const field = (schema.properties as { readonly [key: string]: Json } | undefined)?.[name]
  return isObject(field) && 'default' in field
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
