import type { RepositoryReading } from './types.ts'

/** What an access is made from; names of Secrets of one namespace. */
export interface AccessParts {
  readonly namespace: string
  readonly secret?: string | undefined
  readonly cert?: string | undefined
  readonly proxy?: string | undefined
  readonly insecure: boolean
}

/** `shop/regcred,cert=web-tls,proxy=corp,insecure`: what is not there is left out. */
export function accessId({ namespace, secret, cert, proxy, insecure }: AccessParts): string {
  const more = [
    cert === undefined ? '' : `,cert=${cert}`,
    proxy === undefined ? '' : `,proxy=${proxy}`,
    insecure ? ',insecure' : '',
  ]
  return `${namespace}/${secret ?? ''}${more.join('')}`
}

const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
/** Stands for what no Secret can be called. */
const NOBODYS = '-'
const ID =
  /^([a-z0-9-]+)\/([a-z0-9.-]*)(?:,cert=([a-z0-9.-]+))?(?:,proxy=([a-z0-9.-]+))?(,insecure)?$/

/** undefined for what is no id. */
export function parseAccessId(id: string): AccessParts | undefined {
  const [, namespace, secret, cert, proxy, insecure] = ID.exec(id) ?? []
  if (namespace === undefined) return undefined
  const parts = { namespace, secret: secret || undefined, cert, proxy, insecure: !!insecure }
  return isEmpty(parts) ? undefined : parts
}

/** What an ImageRepository is read by; undefined: nothing of its own. */
export function partsOf(namespace: string, reading: RepositoryReading): AccessParts | undefined {
  const parts = {
    namespace,
    secret: secretName(reading.secretRef),
    cert: secretName(reading.certSecretRef),
    proxy: secretName(reading.proxySecretRef),
    insecure: reading.insecure === true,
  }
  return isEmpty(parts) ? undefined : parts
}

/** Id of the access by which an ImageRepository is read; undefined: the installation's own. */
export function repositoryAccessId(
  namespace: string,
  reading: RepositoryReading,
): string | undefined {
  const parts = partsOf(namespace, reading)
  return parts && accessId(parts)
}

/** Whether a Secret may be called that. */
export function isSecretName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name)
}

function secretName(reference: { readonly name: string } | undefined): string | undefined {
  if (reference === undefined) return undefined
  return isSecretName(reference.name) ? reference.name : NOBODYS
}

function isEmpty(parts: AccessParts): boolean {
  return secretsOf(parts).length === 0 && !parts.insecure
}

/** Names of the Secrets that an access is made from. */
export function secretsOf({ secret, cert, proxy }: AccessParts): readonly string[] {
  return [secret, cert, proxy].filter((name) => name !== undefined)
}
