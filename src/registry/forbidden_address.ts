import { type LookupAddress, lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { TagwardenError } from '../errors.ts'

/**
 * Where no registry is: link-local addresses (RFC 3927, RFC 4291 section 2.5.6) and the metadata
 * services of clouds that are elsewhere. Who names a registry, or answers as one, must not make
 * Tagwarden ask those in its own name.
 */
const FORBIDDEN = new BlockList()
FORBIDDEN.addSubnet('169.254.0.0', 16)
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6')
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6')
FORBIDDEN.addAddress('fd20:ce::254', 'ipv6')
FORBIDDEN.addAddress('100.100.100.200')
FORBIDDEN.addAddress('168.63.129.16')
FORBIDDEN.addAddress('192.0.0.192')

/**
 * Refuses a host that is written as a forbidden address; of a URL, so in its normal form.
 *
 * @throws TagwardenError ERR_REGISTRY_UNREACHABLE
 */
export function refuseForbidden({ hostname, host }: URL): void {
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isForbidden(address)) throw forbidden(host)
}

/** Looks up names for connections; one that has a forbidden address fails. */
export function guardedLookup(resolve: typeof lookup = lookup): LookupFunction {
  return (hostname, options, callback) => {
    const found = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[] = []) => {
      const [first] = addresses
      if (error || first === undefined) return callback(error, [])
      if (addresses.some(({ address }) => isForbidden(address))) {
        return callback(forbidden(hostname), [])
      }
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family)
    }
    resolve(hostname, { ...options, all: true }, found)
  }
}

function isForbidden(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && FORBIDDEN.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

function forbidden(host: string): TagwardenError {
  return new TagwardenError(
    'ERR_REGISTRY_UNREACHABLE',
    `${host} is at a link-local address or a cloud's metadata service, where no registry is`,
    { remedy: 'Name the registry by an address that others can reach' },
  )
}
