import { TagwardenError } from '../errors.ts'
import type { HttpAnswer } from './http_message.ts'

/**
 * The JSON object in a body.
 *
 * @throws TagwardenError ERR_REGISTRY_RESPONSE, which names the content type and never quotes
 *   the body
 */
export function jsonBody(answer: HttpAnswer, subject: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(answer.body.toString())
  } catch {
    // no cause: the message of JSON.parse quotes its input
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  const type = contentType(answer) || 'no content type'
  throw new TagwardenError(
    'ERR_REGISTRY_RESPONSE',
    `${answer.url.host} answered ${subject} with something other than a JSON object (${type})`,
    { remedy: 'Check that this host is a registry, and that no proxy or login page is between' },
  )
}

/** The media type without parameters, in lower case; empty when there is none to speak of. */
export function contentType(answer: HttpAnswer): string {
  const value = answer.headers['content-type']
  const type = typeof value === 'string' ? value.replace(/\s*;.*$/s, '').toLowerCase() : ''
  return /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/.test(type) ? type : ''
}

/** The fields of what should be an object of JSON; none of anything else. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
