import { constants, type X509Certificate } from 'node:crypto'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { isIssuedBy } from '../certificates/index.ts'
import type { ClientOptions } from './types.ts'

/** none: it shows no certificate; untrusted: none that counts now; name: one for somebody else */
export const CLIENT_PROBLEMS = ['none', 'untrusted', 'name'] as const

/** Why a client is not one that may ask. */
export interface ClientProblem {
  readonly reason: (typeof CLIENT_PROBLEMS)[number]
  /** for the log and the client; what a client sent is in `names` only */
  readonly message: string
  readonly names?: readonly string[]
}

/** What a connection is worth. */
export interface Standing {
  /** undefined: the client may ask */
  readonly problem: ClientProblem | undefined
  /** the connection has to end with this request: who it is is no longer certain */
  readonly last: boolean
}

/** What is known of a connection; it holds until the CAs change. */
interface Judgement extends Standing {
  readonly authorities: readonly X509Certificate[]
  readonly sight: Sight
}

/** A certificate that was seen; ms since the epoch. */
interface Sight {
  readonly end: number
  /** when it was last shown by a client that may ask */
  at: number
}

export interface ClientCheck {
  /** To be told of each connection, as soon as its handshake is over. */
  opened(socket: TLSSocket): void
  standingOf(socket: TLSSocket): Standing
  /**
   * When the first of the certificates ends that clients use, in ms since the epoch; undefined:
   * none was used lately.
   */
  nextEnd(): number | undefined
}

const NONE: ClientProblem = { reason: 'none', message: 'the client shows no certificate' }
/** An API server that was given another certificate shows the old one no more. */
const IN_USE = 3_600_000
const NO_SIGHT: Sight = { end: Number.POSITIVE_INFINITY, at: 0 }
const ENDED: Standing = { problem: untrusted('CERT_HAS_EXPIRED'), last: false }

/**
 * Who may ask, by the certificate of the connection. It is judged by the handshake, once. When the
 * CAs change, a connection stays if one of them signed its certificate, and ends with its next
 * request if not: the API server then opens another one, and no review of it is lost.
 *
 * @param settle ms that a handshake takes at most
 */
export function createClientCheck(
  { authority, names }: Pick<ClientOptions, 'authority' | 'names'>,
  { settle, clock }: { readonly settle: number; readonly clock: () => number },
): ClientCheck {
  const accepted = new Set(names)
  const judgements = new WeakMap<TLSSocket, Judgement>()
  const sights = new Map<string, Sight>()
  let known = authority.current()
  let changed = Number.NEGATIVE_INFINITY

  function judge(socket: TLSSocket, certain: boolean): Judgement {
    const certificate = socket.getPeerX509Certificate()
    const problem = problemOf(socket, certificate)
    const sight = certificate && !problem ? sightOf(certificate) : NO_SIGHT
    const last = !certain && certificate !== undefined && !known.some(issued(certificate))
    const judgement = { authorities: known, problem, last, sight }
    judgements.set(socket, judgement)
    return judgement
  }

  /** Connections with the same certificate share one. */
  function sightOf(certificate: X509Certificate): Sight {
    const key = certificate.fingerprint256
    const sight = sights.get(key) ?? { end: certificate.validToDate.getTime(), at: 0 }
    sights.set(key, sight)
    return sight
  }

  function problemOf(
    socket: TLSSocket,
    certificate: X509Certificate | undefined,
  ): ClientProblem | undefined {
    // Of a resumed session Node may say that it is authorized where there never was a certificate.
    if (!certificate) return NONE
    if (!socket.authorized) return untrusted(String(socket.authorizationError))
    const own = namesOf(certificate)
    return accepted.size === 0 || own.some((name) => accepted.has(name))
      ? undefined
      : {
          reason: 'name',
          message: "the client's certificate is for another name than those in clients.names",
          names: own,
        }
  }

  function follow(): void {
    if (known !== authority.current()) {
      known = authority.current()
      changed = clock()
    }
  }

  return {
    opened(socket) {
      follow()
      // A handshake that began before the change was with the CAs of before.
      judge(socket, clock() - changed > settle)
    },
    standingOf(socket) {
      follow()
      const before = judgements.get(socket)
      const judgement = before?.authorities === known ? before : judge(socket, false)
      if (judgement.problem) return judgement
      const { sight } = judgement
      sight.at = clock()
      return sight.at < sight.end ? judgement : ENDED
    },
    nextEnd() {
      const now = clock()
      for (const [key, { at }] of sights) if (now - at > IN_USE) sights.delete(key)
      const ends = [...sights.values()].map(({ end }) => end)
      return ends.length === 0 ? undefined : Math.min(...ends)
    },
  }
}

function issued(certificate: X509Certificate): (authority: X509Certificate) => boolean {
  return (authority) => isIssuedBy(certificate, authority)
}

/**
 * What TLS needs for it: a client is asked for a certificate and need not have one, and there are
 * no sessions to be resumed, which would bring along what was found of an earlier connection.
 */
export function clientTls({ authority }: Pick<ClientOptions, 'authority'>): SecureContextOptions {
  return {
    ca: authority.current().map(String),
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  }
}

function untrusted(why: string): ClientProblem {
  return { reason: 'untrusted', message: `the client's certificate does not count: ${why}` }
}

const SAN = /^(?:DNS|URI|IP Address|email):(.+)$/

/**
 * Common names and alternative names. Node quotes a name that looks like several; nobody is
 * called so.
 */
function namesOf(certificate: X509Certificate): string[] {
  const { CN = [] } = certificate.toLegacyObject().subject as { CN?: string | string[] }
  const text = certificate.subjectAltName ?? ''
  const alternatives = text.includes('"') ? [] : text.split(', ')
  return [CN, alternatives.flatMap((each) => SAN.exec(each)?.[1] ?? [])].flat()
}
