import { isDeepStrictEqual } from 'node:util'
import type { WebhookConfiguration } from './types.ts'

/**
 * What has to be written so that a configuration is as it should be; undefined when it is.
 * Labels, annotations and owners that others added stay. Where the CA bundle is somebody else's
 * (`keepBundles`), each webhook keeps the one that it has.
 */
export function correction(
  live: WebhookConfiguration,
  wanted: WebhookConfiguration,
  keepBundles: boolean,
): WebhookConfiguration | undefined {
  const webhooks = keepBundles ? withBundlesOf(live, wanted) : wanted.webhooks
  const owners = live.metadata.ownerReferences ?? []
  const missing = (wanted.metadata.ownerReferences ?? []).filter(
    (each) => !owners.some((owner) => uidOf(owner) === uidOf(each)),
  )
  const right =
    missing.length === 0 &&
    holds(live.metadata.labels, wanted.metadata.labels) &&
    holds(live.metadata.annotations, wanted.metadata.annotations) &&
    isDeepStrictEqual(live.webhooks, webhooks)
  if (right) {
    return undefined
  }
  const { apiVersion, kind, metadata } = wanted
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    ...(kind !== undefined && { kind }),
    metadata: {
      ...live.metadata,
      labels: { ...live.metadata.labels, ...metadata.labels },
      annotations: { ...live.metadata.annotations, ...metadata.annotations },
      ...(owners.length + missing.length > 0 && { ownerReferences: [...owners, ...missing] }),
    },
    ...(webhooks && { webhooks }),
  }
}

function withBundlesOf(live: WebhookConfiguration, wanted: WebhookConfiguration) {
  const bundles = new Map(
    live.webhooks?.map(({ name, clientConfig }) => [name, clientConfig.caBundle]),
  )
  const any = live.webhooks?.find(({ clientConfig }) => clientConfig.caBundle)?.clientConfig
    .caBundle
  return wanted.webhooks?.map((each) => {
    // A new one begins with its neighbour's, until it gets its own.
    const caBundle = bundles.get(each.name) ?? any
    return caBundle ? { ...each, clientConfig: { ...each.clientConfig, caBundle } } : each
  })
}

function holds(
  live: Readonly<Record<string, string>> = {},
  wanted: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(wanted).every(([key, value]) => live[key] === value)
}

function uidOf(owner: object): unknown {
  return (owner as { uid?: unknown }).uid
}
