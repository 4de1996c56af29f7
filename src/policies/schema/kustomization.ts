import Type, { type Static } from 'typebox'
import { object, objectName } from './metadata.ts'

const patterns = Type.Optional(
  Type.Unsafe<string | string[]>({
    type: ['string', 'array'],
    items: { type: 'string' },
    remedy: 'Write a list of regular expressions',
  }),
)

const provider = Type.Optional(
  object({
    image: Type.String({ minLength: 1, examples: ['ghcr.io/acme/web'] }),
    policy: Type.Optional(
      object({ tags: Type.Optional(object({ regex: Type.Optional(Type.String()) })) }),
    ),
    'policy.tags.regex': Type.Optional(Type.String()),
    allowTags: patterns,
    ignoreTags: patterns,
  }),
)

const direction = Type.Optional(
  object({
    order: Type.String({
      default: 'asc',
      pattern:
        '^([aA][sS][cC]([eE][nN][dD][iI][nN][gG])?|[dD][eE][sS][cC]([eE][nN][dD][iI][nN][gG])?)$',
      remedy: 'Write asc or desc',
    }),
  }),
)

/** One entry of a Kustomization's list `imagePolicies`. */
export const KustomizationEntry = object({
  name: objectName,
  policy: object({
    semver: Type.Optional(
      object({
        range: Type.String({ examples: ['>=1.0.0 <2.0.0'] }),
        identifier: Type.Optional(Type.String()),
      }),
    ),
    digest: Type.Optional(
      Type.Unsafe<string | string[] | { allowed?: string[]; follow?: string }>({
        type: ['string', 'array', 'object'],
        remedy: 'Write a digest, a list of digests, or follow: a tag',
      }),
    ),
    alphabetical: direction,
    numerical: direction,
  }),
  aws: provider,
  gcr: provider,
  oci: provider,
  dockerhub: provider,
  azure: provider,
  github: provider,
})
export type KustomizationEntry = Static<typeof KustomizationEntry>
