import Type, { type Static } from 'typebox'
import { globs } from './globs.ts'
import { namedMatchFields } from './match.ts'
import { object } from './metadata.ts'
import { status } from './status.ts'

/** The spec of an ImagePolicyException. */
export const ImagePolicyExceptionSpec = object(
  {
    images: globs(
      'Images that are let through: repositories such as ghcr.io/acme/web or ghcr.io/acme/*, each with or without a tag, such as ghcr.io/acme/web:v0.9.* for some tags only.',
      {
        minItems: 1,
        examples: ['ghcr.io/acme/web:v0.9.*'],
        'x-kubernetes-validations': [
          {
            rule: "self.all(image, !image.contains('://') && !image.contains('@'))",
            message: 'must have no scheme and no digest; write them like ghcr.io/acme/web:v0.9.*',
          },
        ],
      },
    ),
    match: Type.Optional(
      object(namedMatchFields, {
        description:
          'Narrows the exception to some workloads. Everything that is given must hold. Without it, every workload of the namespace.',
      }),
    ),
    policies: Type.Array(Type.String({ minLength: 1, maxLength: 350 }), {
      description:
        'Policies that are lifted, by name, or by kind and name such as "ClusterImagePolicy base". Empty: all that may be lifted.',
      default: [],
      maxItems: 100,
    }),
    reason: Type.String({
      description: 'Why they are let through, for those who read the warning and the audit log.',
      minLength: 1,
      maxLength: 1024,
      pattern: '[^ \\t\\n\\r]',
      remedy: 'Say why, such as a ticket',
      examples: ['v1 needs the old schema until OPS-123'],
    }),
    expires: Type.String({
      description:
        'When the exception ends by itself, such as "2026-12-01T00:00:00Z". It is needed.',
      format: 'date-time',
      pattern:
        '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$',
      maxLength: 40,
      remedy: 'Write date, time and zone, such as "2026-12-01T00:00:00Z"',
      examples: ['2026-12-01T00:00:00Z'],
    }),
  },
  { description: 'Which images are let through although policies refuse them, why, and how long.' },
)
export type ImagePolicyExceptionSpec = Static<typeof ImagePolicyExceptionSpec>

export const ImagePolicyExceptionStatus = status({
  expired: Type.Optional(
    Type.Boolean({ description: 'Whether it has ended, and so lets nothing through any more.' }),
  ),
})
export type ImagePolicyExceptionStatus = Static<typeof ImagePolicyExceptionStatus>
