import { causesOf } from '../errors.ts'
import type { RegistryConnection } from './types.ts'

/** Failures of the first hop, which is the proxy where there is one. */
const FIRST_HOP = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_PRX_CONN',
  'UND_ERR_PRX_TLS',
])
const ANSWER = /\bProxy (?:response|Authentication Required) \((\d{3})\)/

/**
 * What a proxy has to do with a failure, in words.
 *
 * @returns undefined when it has nothing to do with it
 */
export function proxyFailure(
  error: unknown,
  code: string,
  connection: RegistryConnection | undefined,
): { readonly text: string; readonly remedy: string } | undefined {
  const { proxy } = connection ?? {}
  if (proxy === undefined) return undefined
  const host = URL.parse(proxy.address)?.host ?? 'without a name'
  const status = answerOf(error)
  if (status !== undefined) {
    const remedy =
      status === '407'
        ? 'Correct username and password of the proxy'
        : 'Check that the proxy may connect to the registry'
    return { text: `the proxy ${host} answered ${status}`, remedy }
  }
  if (!FIRST_HOP.has(code)) return undefined
  return {
    text: `the proxy ${host} cannot be reached (${code})`,
    remedy: 'Check the address of the proxy, and that it runs',
  }
}

function answerOf(error: unknown): string | undefined {
  for (const { message } of causesOf(error)) {
    const found = ANSWER.exec(message)?.[1]
    if (found !== undefined) return found
  }
  return undefined
}
