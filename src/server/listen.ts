import type { Server } from 'node:net'
import { TagwardenError } from '../errors.ts'
import type { Address } from './types.ts'

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'End the program that has it, or set another listen.port',
  EACCES: 'Ports below 1024 need rights: set listen.port to 8443',
  EADDRNOTAVAIL: 'Set listen.address to an address of this machine, such as 127.0.0.1 or 0.0.0.0',
  ENOTFOUND: 'Set listen.address to an address of this machine, such as 127.0.0.1 or 0.0.0.0',
}

interface Place {
  readonly address: string
  readonly port: number
}

/** @throws TagwardenError ERR_LISTEN */
export async function listen(server: Server, where: Place): Promise<Address> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host: where.address, port: where.port }, resolve)
  try {
    await promise
  } catch (cause) {
    throw listenFailure(where, cause as NodeJS.ErrnoException)
  } finally {
    server.off('error', reject)
  }
  const bound = server.address()
  if (bound === null || typeof bound === 'string') {
    throw new TypeError('the server listens on no TCP port')
  }
  const { address, port, family } = bound
  const host = family === 'IPv6' ? `[${address}]` : address
  return { address, port, url: `https://${host}:${port}` }
}

function listenFailure({ address, port }: Place, cause: NodeJS.ErrnoException): TagwardenError {
  const taken = cause.code === 'EADDRINUSE' ? 'the port is taken' : cause.message
  return new TagwardenError('ERR_LISTEN', `cannot listen on ${address} port ${port}: ${taken}`, {
    cause,
    remedy: REMEDIES[cause.code ?? ''] ?? 'Check listen.address and listen.port',
  })
}
