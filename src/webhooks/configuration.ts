import { createHash } from 'node:crypto'
import { apiVersionOf, CLUSTER_IMAGE_POLICIES, LEASES, webhookRules } from '../cluster/index.ts'
import { excludedNamespaces } from '../config/index.ts'
import type { ImageField } from '../images/index.ts'
import {
  type ClosedNamespaces,
  oppositeOf,
  type Requirement,
  requirementsOf,
} from './closed_namespaces.ts'
import {
  customFields,
  policyConditions,
  probeConditions,
  reviewConditions,
} from './match_conditions.ts'
import type { Installation, Webhook, WebhookConfiguration } from './types.ts'

const NAMESPACE_NAME = 'kubernetes.io/metadata.name'
const OWN_KINDS = [
  'imagepolicies',
  'clusterimagepolicies',
  'imagerepositories',
  'imagepolicyexceptions',
]
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** Label of the Lease that the probe pretends to create. */
export const PROBE_LABEL = 'tagwarden.io/probe'
/** A text that is new for each probe. */
export const NONCE_ANNOTATION = 'tagwarden.io/probe-nonce'
/** The same text, as the mutating webhook saw it. */
export const SEEN_ANNOTATION = 'tagwarden.io/probe-seen'

/**
 * Both configurations as they should be. `caBundle` is PEM; undefined: somebody else writes it.
 * With `owner`, an owner reference, they are deleted together with it.
 */
export function webhookConfigurations(
  installation: Installation,
  closed: ClosedNamespaces,
  caBundle: string | undefined,
  owner?: object,
): { readonly mutating: WebhookConfiguration; readonly validating: WebhookConfiguration } {
  const entry = entries(installation, caBundle)
  const excluded = [notIn(excludedNamespaces(installation))]
  const rules = reviewRules(installation.fields)
  // What is not resolved is not what the policy asks for: where one fails closed, so does the other.
  const reviews = (hook: 'mutate' | 'validate') =>
    reviewScopes(hook, installation, closed).map(({ name, failurePolicy, scope }) =>
      entry(hook, {
        name,
        failurePolicy,
        rules,
        matchConditions: reviewConditions(hook, installation.fields),
        namespaceSelector: { matchExpressions: scope },
      }),
    )
  const validating = [
    ...reviews('validate'),
    entry('policies', {
      name: 'policies.tagwarden.io',
      failurePolicy: 'Ignore',
      rules: [rule(CLUSTER_IMAGE_POLICIES.group, CLUSTER_IMAGE_POLICIES.version, OWN_KINDS)],
      matchConditions: policyConditions(),
      namespaceSelector: { matchExpressions: excluded },
    }),
    probe(installation, entry, 'probe-validate'),
  ]
  const mutating = [...reviews('mutate'), probe(installation, entry, 'probe-mutate')].map(
    (each) => ({ ...each, reinvocationPolicy: 'IfNeeded' }),
  )
  return {
    mutating: configuration('MutatingWebhookConfiguration', installation, mutating, owner),
    validating: configuration('ValidatingWebhookConfiguration', installation, validating, owner),
  }
}

interface Scope {
  readonly name: string
  readonly failurePolicy: Webhook['failurePolicy']
  readonly scope: readonly Requirement[]
}

/** Which namespaces each webhook of workloads is for: no two for one, where possible. */
function reviewScopes(
  hook: 'mutate' | 'validate',
  installation: Installation,
  closed: ClosedNamespaces,
): Scope[] {
  const open = `${hook}.tagwarden.io`
  const failing = `closed.${open}`
  const excluded = excludedNamespaces(installation)
  const closing = (name: string, scope: readonly Requirement[]): Scope => ({
    name,
    failurePolicy: 'Fail',
    scope,
  })
  if (closed.all) {
    return [closing(failing, [notIn(excluded)])]
  }
  const selected = closed.selected.map(({ policy, selector }) => ({
    policy,
    requirements: requirementsOf(selector),
  }))
  const named = [...excluded, ...closed.names].sort()
  const opposites = selected.flatMap(({ requirements }) => oppositeOf(requirements) ?? [])
  return [
    {
      name: open,
      failurePolicy: 'Ignore',
      scope: [notIn(named), ...opposites],
    },
    ...(closed.names.length > 0
      ? [closing(failing, [{ key: NAMESPACE_NAME, operator: 'In', values: closed.names } as const])]
      : []),
    ...selected.map(({ policy, requirements }) =>
      closing(`${asName(policy)}.${failing}`, [notIn(named), ...requirements]),
    ),
  ]
}

/** A policy's name as the first label of a webhook's; a policy from a file may be called anything. */
function asName(policy: string): string {
  return NAME.test(policy)
    ? policy
    : `p-${createHash('sha256').update(policy).digest('hex').slice(0, 16)}`
}

type Entry = (
  path: string,
  own: Pick<
    Webhook,
    'name' | 'failurePolicy' | 'rules' | 'matchConditions' | 'namespaceSelector'
  > & { readonly objectSelector?: object },
) => Webhook

/** What all webhooks share. Every field that the API server would fill in is there. */
function entries({ name, namespace, webhooks }: Installation, caBundle: string | undefined): Entry {
  const { url, port, timeout } = webhooks
  const bundle = caBundle && { caBundle: Buffer.from(caBundle).toString('base64') }
  return (path, own) => ({
    clientConfig: {
      ...(url === undefined
        ? { service: { namespace, name, path: `/${path}`, port } }
        : { url: `${url.replace(/\/$/, '')}/${path}` }),
      ...bundle,
    },
    objectSelector: {},
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: Math.min(30, Math.max(1, Math.ceil(timeout / 1_000))),
    admissionReviewVersions: ['v1'],
    ...own,
  })
}

/** Nothing but the probe matches it: what it can't answer fails nothing else. */
function probe({ name, namespace }: Installation, entry: Entry, path: string): Webhook {
  return entry(path, {
    name: 'probe.tagwarden.io',
    failurePolicy: 'Fail',
    rules: [{ ...rule(LEASES.group, LEASES.version, [LEASES.plural]), operations: ['CREATE'] }],
    matchConditions: probeConditions(`${name}-probe`),
    namespaceSelector: {
      matchExpressions: [{ key: NAMESPACE_NAME, operator: 'In', values: [namespace] }],
    },
    objectSelector: { matchLabels: { [PROBE_LABEL]: name } },
  })
}

/** For custom kinds the whole group, narrowed by a condition: no discovery, no missed version. */
function reviewRules(fields: readonly ImageField[]): readonly object[] {
  return webhookRules(
    [...new Set(customFields(fields).map(({ group }) => group))]
      .sort()
      .map((group) => ({ group, version: '*', resource: '*' })),
  )
}

function rule(group: string, version: string, resources: readonly string[]) {
  return {
    apiGroups: [group],
    apiVersions: [version],
    resources,
    operations: ['CREATE', 'UPDATE'],
    scope: '*',
  }
}

function notIn(values: readonly string[]): Requirement {
  return { key: NAMESPACE_NAME, operator: 'NotIn', values }
}

function configuration(
  kind: string,
  { name, webhooks }: Installation,
  list: readonly Webhook[],
  owner: object | undefined,
): WebhookConfiguration {
  const annotations = webhooks.annotations.map((each) => {
    const at = each.indexOf('=')
    return [each.slice(0, at), each.slice(at + 1)]
  })
  return {
    apiVersion: apiVersionOf({ group: 'admissionregistration.k8s.io', version: 'v1' }),
    kind,
    metadata: {
      name,
      labels: {
        'app.kubernetes.io/name': 'tagwarden',
        'app.kubernetes.io/instance': name,
        'app.kubernetes.io/component': 'webhook',
        'app.kubernetes.io/managed-by': 'tagwarden',
      },
      annotations: {
        // AKS would write selectors of its own into them, again and again.
        'admissions.enforcer/disabled': 'true',
        ...Object.fromEntries(annotations),
      },
      ...(owner && { ownerReferences: [owner] }),
    },
    webhooks: list,
  }
}
