import type { TagwardenError } from '../errors.ts'

/**
 * What is wrong with an object, to be read beside its name: `field: message. remedy`, in the words
 * that the policy files get.
 */
export function describeField({ position, message, remedy }: TagwardenError): string {
  const field = position?.field ? `${position.field}: ` : ''
  return `${field}${message}${remedy === '' ? '' : `. ${remedy}`}`
}
