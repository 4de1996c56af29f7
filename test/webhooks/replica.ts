import type { Test } from 'tap'
import { secretStore } from '../../src/certificates/cluster.ts'
import { openCertificates } from '../../src/certificates/index.ts'
import type { Cluster, ClusterEvent } from '../../src/cluster/index.ts'
import type { ClosingPolicy } from '../../src/webhooks/closed_namespaces.ts'
import {
  startWebhookController,
  type WebhookController,
  type WebhookControllerOptions,
} from '../../src/webhooks/index.ts'
import { CLUSTER_SETTINGS, SETTINGS } from './stage.ts'

export const SECRET = { namespace: 'tagwarden', name: 'tagwarden-certificates' }

/** A set of policies that a test changes by hand. */
function changeablePolicies(first: readonly ClosingPolicy[] = []) {
  let policies = first
  const listeners = new Set<() => void>()
  return {
    current: () => ({ policies }),
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    set: (next: readonly ClosingPolicy[]) => {
      policies = next
      for (const listener of listeners) listener()
    },
    listeners,
  }
}

export function closing(namespace: string): ClosingPolicy {
  return {
    kind: 'ImagePolicy',
    namespace,
    name: 'web',
    onUnavailable: 'Deny',
    namespaceSelector: undefined,
  }
}

export interface Leader {
  readonly controller: WebhookController
  readonly policies: ReturnType<typeof changeablePolicies>
  readonly certificates: Awaited<ReturnType<typeof openCertificates>>
  readonly lines: string[]
  readonly events: ClusterEvent[]
  /** loses the leadership */
  stop(): Promise<void>
}

/** A leader with certificates in a Secret of the cluster. */
export async function lead(
  t: Test,
  cluster: Cluster,
  webhooks: Partial<typeof SETTINGS> = {},
  changes: Partial<WebhookControllerOptions> = {},
): Promise<Leader> {
  const own = { ...SETTINGS, ...webhooks }
  const awaitsTrust = own.manage === 'Always' && own.caBundle === 'Own'
  const certificates = await openCertificates({
    store: secretStore({ cluster, ...SECRET, awaitsTrust }),
    names: ['127.0.0.1', 'localhost'],
  })
  const policies = changeablePolicies()
  const lines: string[] = []
  const events: ClusterEvent[] = []
  const note = (fields: unknown, text?: string) =>
    void lines.push(`${text ?? ''} ${JSON.stringify(fields)}`)
  const leading = new AbortController()
  const controller = startWebhookController({
    cluster,
    settings: { ...CLUSTER_SETTINGS, webhooks: own },
    namespace: 'tagwarden',
    policies,
    fields: [],
    certificates,
    events: { record: (event) => void events.push(event) },
    log: { info: note, warn: note } as unknown as WebhookControllerOptions['log'],
    signal: leading.signal,
    ...changes,
  })
  const stop = async () => {
    leading.abort()
    await controller.ended
    await certificates.close()
  }
  t.teardown(stop)
  return { controller, policies, certificates, lines, events, stop }
}
