import type { Value } from './value.ts'

/** values.schema.json, by which Helm refuses what is misspelt or can't be. */
export function valuesSchema(values: Value): string {
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...plain(values) }
  return `${JSON.stringify(schema, null, 2)}\n`
}

function plain(value: Value): Record<string, unknown> {
  const { hidden: _, optional: __, properties, items, ...own } = value
  const { additionalProperties: more, description, ...rest } = own
  const below = Object.entries(properties ?? {}).map(([name, field]) => [name, plain(field)])
  return {
    ...(description && { description }),
    ...rest,
    ...(properties && { properties: Object.fromEntries(below) }),
    ...(items && { items: plain(items) }),
    ...(more !== undefined && {
      additionalProperties: typeof more === 'boolean' ? more : plain(more),
    }),
  }
}
