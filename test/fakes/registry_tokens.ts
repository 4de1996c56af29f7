import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { type ApiAnswer, refuse } from '../../src/embedded/index.ts'

/** How the fake wants to be spoken to. */
export type FakeAuthentication =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'token'
      /** without a user name everybody gets a token */
      readonly username?: string
      readonly password?: string
      /** refresh token that is taken in place of the password */
      readonly identityToken?: string
      /** seconds; left out of the answer unless set */
      readonly expiresIn?: number
      /** where tokens are said to be had; the fake's own `/token` unless set */
      readonly realm?: string
      /** answers of the token server are this in place of a token */
      readonly answer?: string
      /** ms before the token server answers */
      readonly delay?: number
    }

/** The token server's side of the fake. */
export interface FakeTokens {
  /** every token given out, in order */
  readonly given: string[]
  /** makes the registry refuse every token given so far */
  revoke(): void
  /** Answers a token request or a request without permission; undefined lets it through. */
  answer(request: IncomingMessage, origin: string): Promise<ApiAnswer | undefined>
}

/** `repository:path:actions` for each token that is good. */
export function createFakeTokens(authentication: FakeAuthentication | undefined): FakeTokens {
  const scopes = new Map<string, string[]>()
  const given: string[] = []

  async function give(request: IncomingMessage, url: URL): Promise<ApiAnswer> {
    if (authentication?.kind !== 'token') return refuse(404, 'UNSUPPORTED')
    const { username, password, identityToken, expiresIn, answer, delay } = authentication
    if (delay) await new Promise((resolve) => setTimeout(resolve, delay))
    const form = new URLSearchParams(request.method === 'POST' ? await readText(request) : '')
    const refresh = form.get('grant_type') === 'refresh_token' ? form.get('refresh_token') : null
    const known =
      username === undefined ||
      request.headers.authorization === basic(username, password ?? '') ||
      (identityToken !== undefined && refresh === identityToken)
    if (!known) return refuse(401, 'UNAUTHORIZED')
    const token = `fake.${randomUUID()}`
    const scope = form.get('scope')?.split(' ') ?? url.searchParams.getAll('scope')
    scopes.set(token, scope)
    given.push(token)
    const content = answer ?? JSON.stringify({ token, expires_in: expiresIn })
    const headers = { 'Content-Type': 'application/json' }
    return { status: 200, headers, body: Buffer.from(content) }
  }

  function permits(authorization: string | undefined, path: string): boolean {
    const token = authorization?.replace(/^Bearer /, '') ?? ''
    return scopes.get(token)?.includes(`repository:${path}:pull`) ?? false
  }

  return {
    given,
    revoke: () => scopes.clear(),
    async answer(request, origin) {
      const url = new URL(request.url ?? '/', origin)
      const { authorization } = request.headers
      if (url.pathname === '/token') return give(request, url)
      if (authentication === undefined) return undefined
      if (authentication.kind === 'basic') {
        const { username, password } = authentication
        if (authorization === basic(username, password)) return undefined
        return refuse(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Basic realm="fake"' })
      }
      const path = url.pathname.replace(/^\/v2\/|\/(tags|manifests|blobs)\/.*$/g, '')
      if (permits(authorization, path)) return undefined
      const realm = authentication.realm ?? `${origin}/token`
      const challenge = `Bearer realm="${realm}",service="fake",scope="repository:${path}:pull"`
      return refuse(401, 'UNAUTHORIZED', { 'WWW-Authenticate': challenge })
    },
  }
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
