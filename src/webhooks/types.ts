import type { KubernetesObject } from '../cluster/index.ts'
import type { ClusterSettings } from '../config/index.ts'
import type { ImageField } from '../images/index.ts'
import type { Requirement } from './closed_namespaces.ts'
import type { MatchCondition } from './match_conditions.ts'

/** https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/validating-webhook-configuration-v1/ */
export interface Webhook {
  readonly name: string
  readonly clientConfig: {
    readonly url?: string
    readonly service?: {
      readonly namespace: string
      readonly name: string
      readonly path: string
      readonly port: number
    }
    /** Base64 of PEM */
    readonly caBundle?: string
  }
  readonly failurePolicy: 'Fail' | 'Ignore'
  readonly namespaceSelector: { readonly matchExpressions?: readonly Requirement[] }
  readonly objectSelector: object
  readonly matchConditions: readonly MatchCondition[]
  readonly rules: readonly object[]
  readonly timeoutSeconds: number
}

/** A MutatingWebhookConfiguration or a ValidatingWebhookConfiguration. */
export interface WebhookConfiguration extends KubernetesObject {
  readonly webhooks?: readonly Webhook[]
}

/** Whom the webhook configurations belong to, and what in them is a matter of settings. */
export interface Installation {
  readonly name: string
  readonly namespace: string
  readonly webhooks: ClusterSettings['webhooks']
  /** where custom kinds hold images */
  readonly fields: readonly ImageField[]
}
