import { LRUCache } from 'lru-cache'
import { TagwardenError } from '../errors.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import { basicHeader } from './credential.ts'
import type { CredentialStore } from './credentials.ts'
import type { Endpoint, Repository } from './endpoint.ts'
import { unlessTimedOut } from './patience.ts'
import type { TokenSource } from './token_source.ts'

/** What is done in the repository; some registries ask for another scope for each. */
export type Operation = 'tags' | 'pull'

/** An `Authorization` header, and whether credentials went into it. */
export interface Authorization {
  readonly header: string | undefined
  readonly withCredentials: boolean
}

/** Makes `Authorization` headers from challenges and credentials. */
export interface Authenticator {
  /** What the host's last challenge to such a request asked for, without being asked again. */
  remembered(
    repository: Repository,
    operation: Operation,
    signal: AbortSignal | undefined,
  ): Promise<Authorization>
  /**
   * The answer to a 401.
   *
   * @param refused what was sent and refused, if anything
   * @returns undefined when there is nothing better to send
   */
  answer(
    repository: Repository,
    operation: Operation,
    wwwAuthenticate: string | string[] | undefined,
    refused: Authorization,
    signal: AbortSignal | undefined,
  ): Promise<Authorization | undefined>
}

/** A challenge, with the actions of its scope when it asks for this one repository. */
interface Demand {
  readonly challenge: Challenge
  readonly actions: string | undefined
}

const NOTHING: Authorization = { header: undefined, withCredentials: false }
const MOST_HOSTS = 10_000

/** One for a client: what it remembers is the challenge of each host, never a credential. */
export function createAuthenticator(
  credentials: CredentialStore,
  tokens: TokenSource,
): Authenticator {
  const demands = new LRUCache<string, Demand>({ max: MOST_HOSTS })

  async function comply(
    { challenge, actions }: Demand,
    repository: Repository,
    signal: AbortSignal | undefined,
  ): Promise<Authorization> {
    const { scheme, parameters } = challenge
    const what = `the credentials of ${repository.endpoint.host} were not found`
    const credential = await unlessTimedOut(credentials.find(repository), signal, what)
    if (scheme === 'basic') {
      if (credential?.kind !== 'basic') return NOTHING
      return {
        header: basicHeader(credential.username, credential.password),
        withCredentials: true,
      }
    }
    if (credential?.kind === 'bearer') {
      return { header: `Bearer ${credential.token}`, withCredentials: true }
    }
    const question = {
      realm: tokenServer(parameters.get('realm'), repository.endpoint, credential !== undefined),
      service: parameters.get('service'),
      scope: actions ? scopeOf(repository, actions) : (parameters.get('scope') ?? ''),
      credential,
      repository,
    }
    const token = await tokens.get(question, signal)
    return { header: `Bearer ${token}`, withCredentials: credential !== undefined }
  }

  return {
    async remembered(repository, operation, signal) {
      const demand = demands.get(keyOf(repository, operation))
      return demand === undefined ? NOTHING : comply(demand, repository, signal)
    },

    async answer(repository, operation, wwwAuthenticate, refused, signal) {
      const challenges = parseChallenges(wwwAuthenticate)
      const challenge =
        challenges.find(({ scheme }) => scheme === 'bearer') ??
        challenges.find(({ scheme }) => scheme === 'basic')
      if (challenge === undefined) return undefined
      if (refused.header !== undefined) {
        tokens.forget(refused.header.replace('Bearer ', ''))
        credentials.forget(repository)
      }
      const demand = { challenge, actions: actionsOf(challenge, repository) }
      const key = keyOf(repository, operation)
      if (demand.actions === undefined) demands.delete(key)
      else demands.set(key, demand)
      const authorization = await comply(demand, repository, signal)
      return authorization.header === refused.header ? undefined : authorization
    },
  }
}

function keyOf({ endpoint, access }: Repository, operation: Operation): string {
  return `${endpoint.host} ${operation} ${access?.id ?? ''}`
}

function scopeOf({ path }: Repository, actions: string): string {
  return `repository:${path}:${actions}`
}

/** A challenge may leave its scope out, or ask for more than this one repository. */
function actionsOf({ parameters }: Challenge, repository: Repository): string | undefined {
  const scope = parameters.get('scope')
  if (!scope) return 'pull'
  const start = scopeOf(repository, '')
  const actions = scope.startsWith(start) ? scope.slice(start.length) : ''
  return /^[\w*,-]+$/.test(actions) ? actions : undefined
}

/**
 * The token server that a challenge names. It must be HTTPS unless the registry is plain HTTP
 * itself; credentials go to it only within the registry's own domain, or where the settings say
 * so. (go-containerregistry draws the same line.)
 */
function tokenServer(realm: string | undefined, endpoint: Endpoint, credentials: boolean): URL {
  const url = URL.parse(realm ?? '')
  const { host, insecure, auth } = endpoint
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new TagwardenError(
      'ERR_REGISTRY_RESPONSE',
      `${host} asks for a token and names no server that gives one`,
    )
  }
  if (url.protocol === 'http:' && !insecure) {
    throw new TagwardenError(
      'ERR_REGISTRY_REDIRECT',
      `${host} names a token server without TLS, ${url.host}`,
      { remedy: 'Set insecure: true for the registry in registries if it speaks plain HTTP too' },
    )
  }
  const related = domainOf(url.hostname) === domainOf(new URL(endpoint.origin).hostname)
  if (credentials && !related && url.host !== auth?.tokenServer) {
    throw new TagwardenError(
      'ERR_REGISTRY_REDIRECT',
      `${host} names a token server of another domain, ${url.host}, which gets no credentials`,
      {
        remedy: `Set auth.tokenServer: ${url.host} for this registry in registries if it is right`,
      },
    )
  }
  url.hash = url.username = url.password = ''
  return url
}

/** `auth.example.com` and `registry.example.com` are of one domain, and so under `co.uk`. */
function domainOf(hostname: string): string {
  if (hostname.startsWith('[') || /^[\d.]+$/.test(hostname)) return hostname
  const labels = hostname.split('.')
  const short = labels.at(-1)?.length === 2 && (labels.at(-2)?.length ?? 0) <= 3
  return labels.slice(short ? -3 : -2).join('.')
}
