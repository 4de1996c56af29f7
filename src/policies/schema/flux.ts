import Type, { type Static } from 'typebox'
import { Metadata } from './metadata.ts'

// What of image.toolkit.fluxcd.io v1, v1beta1 and v1beta2 is used here. Other fields are let
// through: Flux's own CRDs have judged them, and a newer Flux may have more.

const direction = Type.String({
  default: 'asc',
  pattern: '^([aA][sS][cC]|[dD][eE][sS][cC])$',
  remedy: 'Write asc or desc',
})

const reference = Type.Object({
  name: Type.String({ minLength: 1, examples: ['web'] }),
  namespace: Type.Optional(Type.String()),
})

/** Enough to know an object by. */
export const FluxMetadata = Type.Object({ metadata: Metadata })

export const FluxImageRepository = Type.Object({
  spec: Type.Object({
    image: Type.String({ minLength: 1, examples: ['ghcr.io/acme/web'] }),
    exclusionList: Type.Optional(Type.Array(Type.String(), { maxItems: 25 })),
    suspend: Type.Optional(Type.Boolean()),
  }),
})
export type FluxImageRepository = Static<typeof FluxImageRepository>

export const FluxImagePolicy = Type.Object({
  spec: Type.Object({
    imageRepositoryRef: reference,
    policy: Type.Object({
      semver: Type.Optional(Type.Object({ range: Type.String({ examples: ['>=1.0.0 <2.0.0'] }) })),
      alphabetical: Type.Optional(Type.Object({ order: direction })),
      numerical: Type.Optional(Type.Object({ order: direction })),
    }),
    filterTags: Type.Optional(
      Type.Object({ pattern: Type.Optional(Type.String()), extract: Type.Optional(Type.String()) }),
    ),
    digestReflectionPolicy: Type.Unsafe<'Never' | 'IfNotPresent' | 'Always'>({
      type: 'string',
      enum: ['Never', 'IfNotPresent', 'Always'],
      default: 'Never',
    }),
    suspend: Type.Optional(Type.Boolean()),
  }),
})
export type FluxImagePolicy = Static<typeof FluxImagePolicy>
