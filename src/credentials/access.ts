import type { RegistryAccess, RegistryConnection } from '../registry/types.ts'
import { type AccessParts, accessId, secretsOf } from './access_id.ts'
import type { HeldSecret } from './held_secret.ts'

/** The Secret of a name, as far as it is held. */
export type Held = (name: string) => HeldSecret | undefined

/** The access made from Secrets; undefined when one of them is missing or of no use. */
export function makeAccess(parts: AccessParts, held: Held): RegistryAccess | undefined {
  if (missing(parts, held) !== undefined) return undefined
  const { secret, cert, proxy, insecure } = parts
  const own = secret === undefined ? undefined : held(secret)
  const connection: RegistryConnection = {
    ...(insecure && { insecure }),
    ...(cert !== undefined && held(cert)?.tls),
    ...(proxy !== undefined && { proxy: held(proxy)?.proxy }),
  }
  return Object.freeze({
    id: accessId(parts),
    version: secretsOf(parts)
      .map((name) => held(name)?.version)
      .join('+'),
    credential: own && ((host: string, path: string) => entryOf(own, host, path) ?? own.login),
    connection: Object.keys(connection).length === 0 ? undefined : Object.freeze(connection),
  })
}

/** What a pull secret has for a repository. A broken entry is none, as for kubelet. */
export function entryOf({ docker }: HeldSecret, host: string, path: string) {
  try {
    return docker?.stored(host, path)
  } catch {
    return undefined
  }
}

/** The name of the first Secret that is not there or of no use, and what it lacks. */
export function missing(
  { secret, cert, proxy }: AccessParts,
  held: Held,
): { readonly name: string; readonly lacks: string } | undefined {
  const isPullSecret = secret !== undefined && held(secret)
  if (secret !== undefined && !(isPullSecret && (isPullSecret.docker || isPullSecret.login))) {
    return { name: secret, lacks: '.dockerconfigjson, or username and password' }
  }
  if (cert !== undefined && !held(cert)?.tls) {
    return { name: cert, lacks: 'ca.crt, or tls.crt and tls.key' }
  }
  if (proxy !== undefined && !held(proxy)?.proxy) return { name: proxy, lacks: 'address' }
  return undefined
}
