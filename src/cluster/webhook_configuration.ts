import { WORKLOAD_RESOURCES } from '../images/index.ts'
import type { Registration } from './types.ts'

/** One rule of a webhook: resources of one API group and version. */
export interface WebhookRule {
  readonly apiGroups: string[]
  readonly apiVersions: string[]
  readonly resources: string[]
  readonly operations: string[]
  readonly scope: string
}

/** A resource of a custom kind, as the API server's discovery names it. */
export interface CustomResource {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** Both configurations, and everything in them, are called this. */
export const CONFIGURATION_NAME = 'tagwarden-dev'
/** Marks what `tagwarden dev` made. */
export const DEV_LABELS = { 'app.kubernetes.io/name': 'tagwarden', 'tagwarden.io/dev': 'true' }
export const DEV_SELECTOR = 'tagwarden.io/dev=true'

/** Rules for every built-in kind that holds images, and for the custom ones. */
export function webhookRules(custom: readonly CustomResource[]): WebhookRule[] {
  const byVersion = new Map<string, WebhookRule>()
  for (const { group, version, resource } of [...WORKLOAD_RESOURCES, ...custom]) {
    const key = `${group}/${version}`
    const rule = byVersion.get(key) ?? {
      apiGroups: [group],
      apiVersions: [version],
      resources: [],
      operations: ['CREATE', 'UPDATE'],
      scope: '*',
    }
    rule.resources.push(resource)
    byVersion.set(key, rule)
  }
  return [...byVersion.values()]
}

/** The webhook of one configuration; `hook` is its path and the first part of its name. */
export function webhook(
  hook: 'mutate' | 'validate',
  registration: Registration,
  custom: readonly CustomResource[],
) {
  const { url, caBundle, failurePolicy, timeoutSeconds } = registration
  return {
    name: `${hook}.tagwarden.io`,
    admissionReviewVersions: ['v1'],
    clientConfig: {
      url: `${url}/${hook}`,
      caBundle: Buffer.from(caBundle).toString('base64'),
    },
    rules: webhookRules(custom),
    failurePolicy,
    timeoutSeconds,
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    // What the cluster needs to start and to heal is never asked about.
    namespaceSelector: {
      matchExpressions: [
        { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] },
      ],
    },
    ...(hook === 'mutate' && { reinvocationPolicy: 'IfNeeded' }),
  }
}
