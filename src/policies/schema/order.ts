import Type from 'typebox'
import { crossFieldRules } from './cross_field.ts'
import { choice, object } from './metadata.ts'

const direction = choice(
  ['Ascending', 'Descending'],
  'Ascending: the last one in ascending order is the newest. Descending: the first one is.',
  'Ascending',
)

export const order = object(
  {
    semver: Type.Optional(
      object(
        {
          range: Type.String({
            description:
              'Permitted versions, such as ">=1.2.3 <2.0.0", "1.x", "~1.4 || ^2". Prereleases count only where the range names one, such as ">=1.0.0-0".',
            minLength: 1,
            maxLength: 256,
            remedy: 'Write it in quotes, such as ">=1.2.3 <2.0.0"',
          }),
          identifier: Type.Optional(
            Type.String({
              description:
                'Prefix that every version must have, such as "v". Without it a leading v is optional.',
              maxLength: 128,
            }),
          ),
        },
        { description: 'Ranks by semantic version and permits those in a range.' },
      ),
    ),
    alphabetical: Type.Optional(
      object({ order: direction }, { description: 'Ranks by the bytes of the text.' }),
    ),
    numerical: Type.Optional(
      object(
        { order: direction },
        { description: 'Ranks by decimal value, exactly, however long the number is.' },
      ),
    ),
    digest: Type.Optional(
      object(
        {
          allowed: Type.Optional(
            Type.Array(
              Type.String({
                pattern: '^(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$',
                maxLength: 135,
                remedy: 'A digest is "sha256:" and 64 lower-case hex digits',
              }),
              { description: 'Permitted digests.', minItems: 1, maxItems: 1000 },
            ),
          ),
          follow: Type.Optional(
            Type.String({
              description: 'The tag whose digest is permitted, such as "stable".',
              pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$',
              maxLength: 128,
              remedy: 'A tag is at most 128 letters, digits, "_", "." and "-"',
            }),
          ),
        },
        {
          description: 'Permits by digest: an allowed list, or the digest behind one tag.',
          'x-kubernetes-validations': crossFieldRules('order.digest'),
        },
      ),
    ),
  },
  {
    description:
      'How candidates rank and which of them are permitted. Exactly one of semver, alphabetical, numerical, digest.',
    remedy: 'Write one under order, such as semver: { range: ">=1.0.0 <2.0.0" }',
    'x-kubernetes-validations': crossFieldRules('order'),
  },
)
