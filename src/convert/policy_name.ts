/** Something that can be the name of an object, as near to a text as possible. */
export function objectName(...parts: readonly string[]): string {
  const joined = parts.filter((part) => part !== '').join('-')
  const fitting = joined.toLowerCase().replace(/[^a-z0-9.-]+/g, '-')
  return fitting.slice(0, 200).replace(/^[.-]+|[.-]+$/g, '') || 'images'
}
