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

const ID =
  /^([a-z0-9-]+)\/([a-z0-9.-]*)(?:,cert=([a-z0-9.-]+))?(?:,proxy=([a-z0-9.-]+))?(,insecure)?$/

/** undefined for what is no id. */
export function parseAccessId(id: string): AccessParts | undefined {
  const [, namespace, secret, cert, proxy, insecure] = ID.exec(id) ?? []
  if (namespace === undefined) return undefined
  return { namespace, secret: secret || undefined, cert, proxy, insecure: insecure !== undefined }
}

/** What an ImageRepository is read by; undefined: nothing of its own. */
export function partsOf(namespace: string, reading: RepositoryReading): AccessParts | undefined {
  const parts = {
    namespace,
    secret: reading.secretRef?.name,
    cert: reading.certSecretRef?.name,
    proxy: reading.proxySecretRef?.name,
    insecure: reading.insecure === true,
  }
  return secretsOf(parts).length === 0 && !parts.insecure ? undefined : parts
}

/** Names of the Secrets that an access is made from. */
export function secretsOf({ secret, cert, proxy }: AccessParts): readonly string[] {
  return [secret, cert, proxy].filter((name) => name !== undefined)
}
