import Type from 'typebox'

/** Globs over normalised repository names. */
export function globs(description: string, options: object) {
  return Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
    description,
    maxItems: 256,
    ...options,
  })
}
