import { createHash } from 'node:crypto'
import { TagwardenError } from '../errors.ts'

/** What proves who we are to one registry. */
export type Credential = {
  /** hash of the secret and its owner, fit for keys of caches */
  readonly id: string
} & (
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** a refresh token, to be exchanged at the token server */
  | { readonly kind: 'identity'; readonly token: string }
  /** a token that the registry itself takes */
  | { readonly kind: 'bearer'; readonly token: string }
)

/** The user name by which Docker's files and helpers say that the secret is a refresh token. */
const TOKEN_USER = '<token>'

/**
 * @throws TagwardenError ERR_CREDENTIALS for control characters, which could end a header
 */
export function basicCredential(username: string, password: string, source: string): Credential {
  if (username === TOKEN_USER) return tokenCredential('identity', password, source)
  check(username + password, source)
  return { kind: 'basic', username, password, id: hash('basic', username, password) }
}

/** @throws TagwardenError ERR_CREDENTIALS for control characters */
export function tokenCredential(
  kind: 'identity' | 'bearer',
  token: string,
  source: string,
): Credential {
  check(token, source)
  return { kind, token, id: hash(kind, token) }
}

/** The value of `Authorization` for a user name and password (RFC 7617). */
export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function check(text: string, source: string): void {
  if (/[\x00-\x1f\x7f]/.test(text)) {
    throw new TagwardenError('ERR_CREDENTIALS', `${source} holds a control character`, {
      remedy: 'Log in again, without a line break in the user name or the password',
    })
  }
}

function hash(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
