import Type, { type Static } from 'typebox'
import { choice, object } from './metadata.ts'

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements */
export function labelSelector(description: string) {
  return object(
    {
      matchLabels: Type.Optional(
        Type.Unsafe<Record<string, string>>({
          type: 'object',
          additionalProperties: { type: 'string', maxLength: 63 },
          description: 'Each label must be there with this value.',
        }),
      ),
      matchExpressions: Type.Optional(
        Type.Array(
          object({
            key: Type.String({ description: 'Key of the label.', minLength: 1, maxLength: 317 }),
            operator: choice(
              ['In', 'NotIn', 'Exists', 'DoesNotExist'],
              'How the label is compared. NotIn also admits objects without the label.',
            ),
            values: Type.Optional(
              Type.Array(Type.String({ maxLength: 63 }), {
                description: 'Values for In and NotIn; none for Exists and DoesNotExist.',
                maxItems: 100,
              }),
            ),
          }),
          { description: 'Each of these must hold.', maxItems: 50 },
        ),
      ),
    },
    { description },
  )
}
export type LabelSelector = Static<ReturnType<typeof labelSelector>>
