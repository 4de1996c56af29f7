import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { Counter } from 'prom-client'
import {
  CLIENT_PROBLEMS,
  type ClientCheck,
  type ClientProblem,
  createClientCheck,
} from './clients.ts'
import { statusBody } from './failure.ts'
import type { ServerOptions } from './types.ts'

/** A line for each request would be a way to fill the log. */
const QUIET = 60_000

/** An answer in the place of a review. */
export interface Refusal {
  readonly status: 401 | 403
  readonly body: string
}

/** What stands before the reviews. */
export interface Gate extends Pick<ClientCheck, 'opened' | 'nextEnd'> {
  pass(request: IncomingMessage): {
    /** undefined: the client may ask */
    readonly refusal: Refusal | undefined
    /** the connection has to end with this request */
    readonly last: boolean
  }
}

type GateOptions = Pick<ServerOptions, 'clients' | 'metrics' | 'log'> & {
  readonly clock: () => number
  /** ms that a handshake takes at most */
  readonly settle: number
}

/** The gate before all reviews; undefined where everybody may ask. */
export function createGate({
  clients,
  metrics,
  log,
  clock,
  settle,
}: GateOptions): Gate | undefined {
  const problems = new Counter({
    name: 'tagwarden_client_problems_total',
    help: 'Review requests of clients without a certificate that counts, by reason.',
    labelNames: ['reason'],
    registers: [metrics],
  })
  if (!clients) return undefined
  for (const reason of CLIENT_PROBLEMS) problems.inc({ reason }, 0)
  const check = createClientCheck(clients, { clock, settle })
  const enforced = clients.enforcement === 'Enforce'
  const told = new Map<string, { at: number; since: number }>()

  function tell({ reason, message, names }: ClientProblem, client: string | undefined): void {
    const last = told.get(reason)
    if (last && clock() - last.at < QUIET) {
      last.since += 1
      return
    }
    told.set(reason, { at: clock(), since: 0 })
    const more = { ...(names && { names: names.slice(0, 10) }), ...(last && { since: last.since }) }
    const what = enforced ? 'a review was refused' : 'a review would be refused'
    log.warn({ client, reason, ...more }, `${what}: ${message}`)
  }

  return {
    opened: check.opened,
    nextEnd: check.nextEnd,
    pass({ socket }) {
      const { problem, last } = check.standingOf(socket as TLSSocket)
      if (!problem) return { refusal: undefined, last }
      problems.inc({ reason: problem.reason })
      tell(problem, socket.remoteAddress)
      // The next connection may be with another certificate, or with other CAs.
      return { refusal: enforced ? refusalOf(problem) : undefined, last: enforced || last }
    },
  }
}

const SHOW_ANOTHER =
  'Tagwarden answers reviews only to clients that clients.certificateAuthority has signed: the API server gets its certificate by --admission-control-config-file'

const ADD_NAME = 'Add its name there if it is the certificate of an API server'

function refusalOf({ reason, message }: ClientProblem): Refusal {
  return reason === 'name'
    ? { status: 403, body: statusBody(403, 'Forbidden', `${message}. ${ADD_NAME}`) }
    : { status: 401, body: statusBody(401, 'Unauthorized', `${message}. ${SHOW_ANOTHER}`) }
}
