import Type, { type Static, type TProperties } from 'typebox'
import { choice } from './metadata.ts'

export const time = (description: string) =>
  Type.String({ description, format: 'date-time', maxLength: 40 })

export const tagFields = {
  tag: Type.Optional(Type.String({ description: 'The tag.', maxLength: 128 })),
  digest: Type.Optional(
    Type.String({ description: 'The digest behind the tag, where it is known.', maxLength: 135 }),
  ),
  version: Type.Optional(
    Type.String({
      description: 'What of the tag was compared, as the policy extracts it.',
      maxLength: 1024,
    }),
  ),
}

const observedGeneration = Type.Optional(
  Type.Integer({
    description: 'The generation of the spec that this status is about.',
    format: 'int64',
  }),
)

/** https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#condition-v1-meta */
const Condition = Type.Object(
  {
    type: Type.String({
      description:
        'What is said: Ready (it is in force), Stalled (it cannot become ready without a change) or Reconciling (work is going on).',
      maxLength: 316,
    }),
    status: choice(['True', 'False', 'Unknown'], 'Whether it holds.'),
    observedGeneration,
    lastTransitionTime: time('When status last changed.'),
    reason: Type.String({
      description: 'Why, in one word for programs.',
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    message: Type.String({
      description: 'Why, and what to do about it, for people.',
      maxLength: 32_768,
    }),
  },
  { description: 'One aspect of the state of an object.' },
)
export type Condition = Static<typeof Condition>

/** The status of a kind, with the fields that kstatus reads. */
export function status<const P extends TProperties>(properties: P) {
  return Type.Object(
    {
      observedGeneration,
      conditions: Type.Optional(
        Type.Array(Condition, {
          description: 'Whether it is in force, and why not.',
          maxItems: 16,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
        }),
      ),
      ...properties,
    },
    { description: 'What Tagwarden says about it. Written by Tagwarden only.' },
  )
}

/** Text that a person or a program reads. */
export const text = (description: string, maxLength = 512) =>
  Type.Optional(Type.String({ description, maxLength }))

export const count = (description: string) =>
  Type.Optional(Type.Integer({ description, minimum: 0, format: 'int64' }))
