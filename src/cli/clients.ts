import { openClientAuthority } from '../certificates/index.ts'
import type { Config } from '../config/index.ts'
import { describeError, TagwardenError } from '../errors.ts'
import type { ClientOptions, Server } from '../server/index.ts'
import type { Log } from './log.ts'
import type { Stops } from './stops.ts'

/**
 * Who may ask for reviews; undefined: everybody.
 *
 * @throws TagwardenError ERR_CERTIFICATE when the CA cannot be used, ERR_INVALID_CONFIG when there
 *   are names that nobody could prove
 */
export async function openClients(
  { clients, file = 'the defaults' }: Pick<Config, 'clients' | 'file'>,
  log: Log,
  stops: Stops,
): Promise<ClientOptions | undefined> {
  const { certificateAuthority, names, enforcement } = clients
  if (certificateAuthority === undefined) {
    if (names.length === 0) return undefined
    const position = { file, field: 'clients.names' }
    const remedy = 'Name the CA of their certificates in clients.certificateAuthority too'
    throw new TagwardenError('ERR_INVALID_CONFIG', 'nobody could prove to be one of these', {
      position,
      remedy,
    })
  }
  const authority = await openClientAuthority({
    file: certificateAuthority,
    onProblem: (problem) => log.warn({ code: problem.code }, describeError(problem)),
  })
  stops.add(() => authority.close())
  authority.subscribe(() =>
    log.info({ certificates: authority.current().length }, 'another CA of clients is in use'),
  )
  return { authority, names, enforcement }
}

/** For the metrics: the certificate of clients that ends first. */
export function clientFigures({ clientsEnd }: Pick<Server, 'clientsEnd'>) {
  const notAfter = clientsEnd()
  return notAfter === undefined ? [] : [{ name: 'client', notAfter }]
}
