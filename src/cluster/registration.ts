import type { AdmissionregistrationV1Api, ApisApi, CustomObjectsApi } from '@kubernetes/client-node'
import { TagwardenError } from '../errors.ts'
import type { ImageField } from '../images/types.ts'
import type { ClusterRegistration } from './types.ts'
import {
  CONFIGURATION_NAME,
  type CustomResource,
  DEV_LABELS,
  DEV_SELECTOR,
  webhook,
} from './webhook_configuration.ts'

/**
 * Opens the cluster of a kubeconfig, to register the webhooks there.
 *
 * @throws TagwardenError ERR_CLUSTER when the file is no kubeconfig; later, from each method, when
 *   the API server can't be reached or refuses
 *
 * @example
 *   const cluster = await openRegistration({ kubeconfig: '/home/me/.kube/config' })
 *   await cluster.register({ url, caBundle, failurePolicy: 'Fail', timeoutSeconds: 10, fields: [] })
 */
export async function openRegistration(options: {
  readonly kubeconfig: string
  readonly context?: string | undefined
}): Promise<ClusterRegistration> {
  // Costs 0.6 s and 70 MiB: loaded only by those who speak to a cluster.
  const client = await import('@kubernetes/client-node')
  const config = new client.KubeConfig()
  try {
    config.loadFromFile(options.kubeconfig)
    if (options.context !== undefined) {
      config.setCurrentContext(options.context)
    }
  } catch (cause) {
    throw new TagwardenError(
      'ERR_CLUSTER',
      `${options.kubeconfig} cannot be read as a kubeconfig`,
      {
        remedy: 'Check the path given with --kubeconfig',
        cause,
      },
    )
  }
  const server = config.getCurrentCluster()?.server
  if (server === undefined) {
    throw new TagwardenError('ERR_CLUSTER', `${options.kubeconfig} names no current cluster`, {
      remedy: 'Choose one with --context',
    })
  }
  const api = config.makeApiClient(client.AdmissionregistrationV1Api)
  const apis = config.makeApiClient(client.ApisApi)
  const resources = config.makeApiClient(client.CustomObjectsApi)
  const ask = <T>(what: string, call: () => Promise<T>) => asked(server, what, call)
  return {
    server,
    leftOver: () => ask('list webhook configurations', () => listMade(api)),
    register: async (registration) => {
      const custom = await ask('find custom kinds', () =>
        discover(registration.fields, apis, resources),
      )
      const metadata = { name: CONFIGURATION_NAME, labels: DEV_LABELS }
      await ask('register the webhooks', async () => {
        await removeAll(api)
        await api.createMutatingWebhookConfiguration({
          body: { metadata, webhooks: [webhook('mutate', registration, custom)] },
        })
        await api.createValidatingWebhookConfiguration({
          body: { metadata, webhooks: [webhook('validate', registration, custom)] },
        })
      })
    },
    trust: (caBundle) => ask('renew the CA bundle', () => trust(api, caBundle)),
    unregister: () => ask('remove the webhook configurations', () => removeAll(api)),
  }
}

async function listMade(api: AdmissionregistrationV1Api): Promise<string[]> {
  const selector = { labelSelector: DEV_SELECTOR }
  const mutating = await api.listMutatingWebhookConfiguration(selector)
  const validating = await api.listValidatingWebhookConfiguration(selector)
  return [
    ...mutating.items.map(({ metadata }) => `MutatingWebhookConfiguration ${metadata?.name}`),
    ...validating.items.map(({ metadata }) => `ValidatingWebhookConfiguration ${metadata?.name}`),
  ]
}

async function removeAll(api: AdmissionregistrationV1Api): Promise<string[]> {
  const made = await listMade(api)
  const selector = { labelSelector: DEV_SELECTOR }
  await api.deleteCollectionMutatingWebhookConfiguration(selector)
  await api.deleteCollectionValidatingWebhookConfiguration(selector)
  return made
}

async function trust(api: AdmissionregistrationV1Api, caBundle: string): Promise<void> {
  const encoded = Buffer.from(caBundle).toString('base64')
  const name = CONFIGURATION_NAME
  const mutating = await api.readMutatingWebhookConfiguration({ name })
  const validating = await api.readValidatingWebhookConfiguration({ name })
  for (const { clientConfig } of [...(mutating.webhooks ?? []), ...(validating.webhooks ?? [])]) {
    clientConfig.caBundle = encoded
  }
  await api.replaceMutatingWebhookConfiguration({ name, body: mutating })
  await api.replaceValidatingWebhookConfiguration({ name, body: validating })
}

/** Finds the plural names of custom kinds; one that the cluster does not serve is left out. */
async function discover(
  fields: readonly ImageField[],
  apis: ApisApi,
  resources: CustomObjectsApi,
): Promise<CustomResource[]> {
  if (fields.length === 0) {
    return []
  }
  const { groups } = await apis.getAPIVersions()
  const found: CustomResource[] = []
  for (const { group, kind } of fields) {
    for (const { version } of groups.find(({ name }) => name === group)?.versions ?? []) {
      const served = await resources.getAPIResources({ group, version })
      for (const { kind: each, name } of served.resources) {
        if (each === kind && !name.includes('/')) {
          found.push({ group, version, resource: name })
        }
      }
    }
  }
  return found
}

async function asked<T>(server: string, what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    const status = (cause as { code?: unknown }).code
    const why =
      typeof status === 'number'
        ? `the API server answered ${status}`
        : `it could not be reached (${status ?? (cause as Error).message})`
    throw new TagwardenError('ERR_CLUSTER', `${server}: could not ${what}: ${why}`, {
      remedy:
        status === 403
          ? 'The account needs create, list and deletecollection on webhook configurations'
          : 'Check that the cluster runs and that the kubeconfig is right',
      cause,
    })
  }
}
