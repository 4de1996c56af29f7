import { randomUUID, sign, X509Certificate } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAuthority, type Issued } from './authority.ts'

/** A token server as registries point to. */
export interface TokenServer {
  /** the `auth` part of a registry's configuration; `bundle` goes into the file that it names */
  readonly settings: {
    readonly realm: string
    readonly service: string
    readonly issuer: string
  }
  /** PEM of the authority whose tokens the registry takes */
  readonly bundle: string
  /** A token for scopes such as `repository:acme/web:pull,push`. */
  issue(scopes: readonly string[]): string
  close(): Promise<void>
}

const SERVICE = 'registry-test'
const ISSUER = 'token-server-test'

/**
 * Starts a server that signs a token for whatever scopes it is asked for, for the holder of
 * `account`, and answers 401 to all others. With `tls` it speaks HTTPS with that certificate.
 * https://distribution.github.io/distribution/spec/auth/jwt/
 */
export async function startTokenServer(
  account: { readonly username: string; readonly password: string },
  tls?: Issued,
): Promise<TokenServer> {
  const authority = createAuthority(ISSUER)
  const signer = authority.issue(ISSUER, {})
  const chain = [new X509Certificate(signer.certificate).raw.toString('base64')]
  const issue: TokenServer['issue'] = (scopes) => {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: ISSUER,
      sub: account.username,
      aud: SERVICE,
      exp: now + 300,
      nbf: now - 60,
      iat: now,
      jti: randomUUID(),
      access: scopes.map(parseScope),
    }
    const text = `${encode({ typ: 'JWT', alg: 'RS256', x5c: chain })}.${encode(claims)}`
    return `${text}.${sign('sha256', Buffer.from(text), signer.key).toString('base64url')}`
  }

  const { username, password } = account
  const allowed = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const listener: RequestListener = (request, response) => {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams
    const refused = request.headers.authorization !== allowed || query.get('service') !== SERVICE
    const scopes = query.getAll('scope').flatMap((each) => each.split(' '))
    response.writeHead(refused ? 401 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(refused ? {} : { token: issue(scopes), expires_in: 300 }))
  }
  const server = tls
    ? createTlsServer({ cert: tls.certificate, key: tls.key }, listener)
    : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    settings: {
      realm: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/token`,
      service: SERVICE,
      issuer: ISSUER,
    },
    bundle: authority.certificate,
    issue,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

// A repository's name may hold a port's colon; its type and its actions don't.
function parseScope(scope: string): { type: string; name: string; actions: string[] } {
  const parts = scope.split(':')
  const [type = '', actions = ''] = [parts.at(0), parts.at(-1)]
  return { type, name: parts.slice(1, -1).join(':'), actions: actions.split(',') }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
