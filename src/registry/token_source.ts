import { LRUCache } from 'lru-cache'
import { TagwardenError } from '../errors.ts'
import { basicHeader, type Credential } from './credential.ts'
import type { Repository } from './endpoint.ts'
import type { HttpRequest, Send } from './http_message.ts'
import { jsonBody } from './json_body.ts'
import { unlessTimedOut } from './patience.ts'
import { refusal } from './refusal.ts'
import type { RegistryClock, RegistryLimits } from './types.ts'

/** What a token is wanted for. */
export interface TokenQuestion {
  readonly realm: URL
  readonly service: string | undefined
  /** scopes with a space between, such as `repository:acme/web:pull` */
  readonly scope: string
  readonly credential: Credential | undefined
  readonly repository: Repository
}

/** Gets bearer tokens and keeps them as long as they are good. */
export interface TokenSource {
  /** @throws TagwardenError ERR_REGISTRY_* */
  get(question: TokenQuestion, signal: AbortSignal | undefined): Promise<string>
  /** The registry refused this token: the next question gets a new one. */
  forget(token: string): void
}

interface HeldToken {
  readonly token: string
  /** ms since the epoch */
  readonly goodUntil: number
}

const MOST_TOKENS = 10_000
/** Token spec: "if omitted, this defaults to 60 seconds" */
const DEFAULT_LIFE_S = 60
/** A token is not used in the last tenth of its life, at most so long before its end. */
const LONGEST_LEEWAY_MS = 30_000

/**
 * Source: the Distribution's token authentication and OAuth2 specifications.
 *
 * @param send without credentials and redirects of its own
 */
export function createTokenSource(
  send: Send,
  limits: RegistryLimits,
  clock: RegistryClock,
): TokenSource {
  const held = new LRUCache<string, HeldToken>({ max: MOST_TOKENS })
  const underWay = new Map<string, Promise<HeldToken>>()

  async function fetchToken(question: TokenQuestion): Promise<HeldToken> {
    const answer = await send(tokenRequest(question, limits.tokenBytes))
    const { realm, repository, credential } = question
    if (answer.status >= 300 && answer.status < 400) {
      throw new TagwardenError(
        'ERR_REGISTRY_REDIRECT',
        `${realm.host} answered ${answer.status} to a token request; credentials follow no redirect`,
      )
    }
    const subject = `a token for ${repository.name}`
    if (answer.status !== 200) {
      throw refusal(
        answer,
        subject,
        { withCredentials: credential !== undefined, access: repository.access?.id },
        clock.now(),
      )
    }
    const content = jsonBody(answer, subject)
    const token = content.token || content.access_token
    // only what may stand in a header
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
      throw new TagwardenError(
        'ERR_REGISTRY_RESPONSE',
        `${realm.host} answered without a usable token for ${repository.name}`,
      )
    }
    const seconds = Number(content.expires_in) > 0 ? Number(content.expires_in) : DEFAULT_LIFE_S
    const leeway = Math.min(seconds * 100, LONGEST_LEEWAY_MS)
    return { token, goodUntil: clock.now() + seconds * 1000 - leeway }
  }

  return {
    async get(question, signal) {
      const key = keyOf(question)
      const kept = held.get(key)
      if (kept !== undefined && kept.goodUntil > clock.now()) return kept.token
      let answer = underWay.get(key)
      if (answer === undefined) {
        // belongs to all who wait, so it ends by its own timeouts and by no one's signal
        answer = fetchToken(question).finally(() => underWay.delete(key))
        answer.then(
          (value) => held.set(key, value),
          () => {},
        )
        underWay.set(key, answer)
      }
      const what = `${question.realm.host} did not give a token`
      return (await unlessTimedOut(answer, signal, what)).token
    },
    forget(token) {
      for (const [key, value] of held.entries()) if (value.token === token) held.delete(key)
    },
  }
}

function keyOf({ realm, service, scope, credential, repository }: TokenQuestion): string {
  const { endpoint, access } = repository
  return [endpoint.host, access?.id, realm.href, service, scope, credential?.id].join('\n')
}

function tokenRequest(question: TokenQuestion, limit: number): HttpRequest {
  const { service, scope, credential, repository } = question
  const { certificateAuthority, connection } = repository.endpoint
  const url = new URL(question.realm)
  const common = { url, limit, certificateAuthority, connection, signal: undefined }
  if (credential?.kind === 'identity') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: credential.token,
      client_id: 'tagwarden',
      scope,
      ...(service && { service }),
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return { ...common, method: 'POST', headers, body: form.toString() }
  }
  if (service) url.searchParams.set('service', service)
  for (const one of scope.split(' ')) url.searchParams.append('scope', one)
  const headers: Record<string, string> = {}
  if (credential?.kind === 'basic') {
    headers['authorization'] = basicHeader(credential.username, credential.password)
  }
  return { ...common, method: 'GET', headers }
}
