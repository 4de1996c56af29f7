import { BlockList, isIP } from 'node:net'
import { TagwardenError } from '../errors.ts'

/**
 * Says through which HTTP proxy a URL is asked; its login stands in the URL that is given.
 *
 * @returns undefined: directly
 * @throws TagwardenError ERR_INVALID_CONFIG when the variable holds no address of such a proxy
 */
export type ProxyChoice = (url: URL) => URL | undefined

/** Whether `NO_PROXY` names a host: it has no brackets, the port is always there. */
type Exemption = (host: string, port: string) => boolean

/**
 * The proxies that the environment names, as other programs of this field read it
 * (https://pkg.go.dev/golang.org/x/net/http/httpproxy): `HTTPS_PROXY` and `HTTP_PROXY` by the scheme
 * of the URL, `NO_PROXY` for what is asked directly, each in lower case too. This machine itself is
 * always asked directly.
 *
 * @example
 *   const proxyFor = environmentProxy({ HTTPS_PROXY: 'proxy:3128', NO_PROXY: '.corp.example' })
 *   proxyFor(new URL('https://ghcr.io'))?.href // 'http://proxy:3128/'
 */
export function environmentProxy(env: Readonly<Record<string, string | undefined>>): ProxyChoice {
  const variable = (name: string) => env[name] || env[name.toLowerCase()] || undefined
  const exemptions = (variable('NO_PROXY') ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(exemptionOf)
  return ({ protocol, hostname, port }) => {
    const name = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
    const text = variable(name)
    if (text === undefined) return undefined
    const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
    const at = port || (protocol === 'https:' ? '443' : '80')
    if (isThisMachine(host) || exemptions.some((covers) => covers(host, at))) return undefined
    return proxyOf(text, name)
  }
}

function proxyOf(text: string, name: string): URL {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url && /^https?:$/.test(url.protocol) && url.hostname !== '' && isLogin(url)) return url
  throw new TagwardenError('ERR_INVALID_CONFIG', `${name} names no HTTP proxy`, {
    remedy: 'Write http://host:port, or leave the variable out',
  })
}

function isLogin({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return true
  } catch {
    return false
  }
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

function isThisMachine(host: string): boolean {
  return host === 'localhost' || isIn(LOOPBACK, host)
}

function exemptionOf(entry: string): Exemption {
  if (entry === '*') return () => true
  const range = rangeOf(entry)
  if (range) return (host) => isIn(range, host)
  const [, bracketed, name = '', port] = /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(
    isIP(entry) === 6 ? `[${entry}]` : entry,
  ) as RegExpExecArray
  const wanted = bracketed ?? name.replace(/^\*\./, '.')
  const suffix = wanted.startsWith('.') ? wanted : `.${wanted}`
  return (host, at) =>
    (port === undefined || port === at) &&
    (host === wanted || (isIP(host) === 0 && host.endsWith(suffix)))
}

/** Of `10.0.0.0/8`; undefined for what is no such range. */
function rangeOf(entry: string): BlockList | undefined {
  const [, address = '', bits = ''] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? []
  const family = isIP(address)
  if (family === 0 || Number(bits) > (family === 6 ? 128 : 32)) return undefined
  const range = new BlockList()
  range.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4')
  return range
}

function isIn(list: BlockList, host: string): boolean {
  const family = isIP(host)
  return family !== 0 && list.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
