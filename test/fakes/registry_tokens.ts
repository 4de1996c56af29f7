import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { type ApiAnswer, refuse } from '../../src/embedded/index.ts'

/** How the fake wants to be spoken to. */
export type FakeAuthentication =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** several accounts, each with the repositories that it may read; by tokens, or by basic */
  | {
      readonly kind: 'accounts'
      readonly by: 'token' | 'basic'
      /** may be changed while it runs */
      readonly accounts: Map<string, FakeAccount>
    }
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

export interface FakeAccount {
  readonly password: string
  readonly repositories: readonly string[]
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

  function grant(scope: readonly string[], content?: string, expiresIn?: number): ApiAnswer {
    const token = `fake.${randomUUID()}`
    scopes.set(token, [...scope])
    given.push(token)
    const body = Buffer.from(content ?? JSON.stringify({ token, expires_in: expiresIn }))
    return { status: 200, headers: { 'Content-Type': 'application/json' }, body }
  }

  /** As most token servers do: a token for what the account may read of what was asked for. */
  function giveToAccount(request: IncomingMessage, url: URL): ApiAnswer {
    const account = accountOf(authentication, request.headers.authorization)
    if (account === undefined) return refuse(401, 'UNAUTHORIZED')
    const scope = url.searchParams.getAll('scope')
    return grant(scope.filter((one) => account.repositories.includes(one.split(':')[1] ?? '')))
  }

  async function give(request: IncomingMessage, url: URL): Promise<ApiAnswer> {
    if (authentication?.kind === 'accounts') return giveToAccount(request, url)
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
    const scope = form.get('scope')?.split(' ') ?? url.searchParams.getAll('scope')
    return grant(scope, answer, expiresIn)
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
      if (authentication.kind === 'accounts' && authentication.by === 'basic') {
        const account = accountOf(authentication, authorization)
        if (account?.repositories.includes(path)) return undefined
        return account
          ? refuse(403, 'DENIED')
          : refuse(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Basic realm="fake"' })
      }
      if (permits(authorization, path)) return undefined
      const own = authentication.kind === 'token' ? authentication.realm : undefined
      const realm = own ?? `${origin}/token`
      const challenge = `Bearer realm="${realm}",service="fake",scope="repository:${path}:pull"`
      return refuse(401, 'UNAUTHORIZED', { 'WWW-Authenticate': challenge })
    },
  }
}

function accountOf(
  authentication: FakeAuthentication | undefined,
  authorization: string | undefined,
): FakeAccount | undefined {
  if (authentication?.kind !== 'accounts') return undefined
  const entries = [...authentication.accounts]
  return entries.find(([name, { password }]) => authorization === basic(name, password))?.[1]
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
