/** By what names a client on the same machine reaches a server. */
export const LOOPBACK = Object.freeze(['127.0.0.1', '::1', 'localhost'])

/**
 * The names by which a Service is reached from within a cluster.
 *
 * @example
 *   serviceNames('tagwarden', 'system') // tagwarden, tagwarden.system, tagwarden.system.svc, …
 */
export function serviceNames(service: string, namespace: string): string[] {
  const short = `${service}.${namespace}`
  return [service, short, `${short}.svc`, `${short}.svc.cluster.local`]
}
