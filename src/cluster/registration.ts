import type { ImageField } from '../images/types.ts'
import type { Asking } from './asking.ts'
import { connect } from './client.ts'
import { resourcesOfKind } from './discovery.ts'
import { MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS } from './resources.ts'
import type { Cluster, ClusterRegistration, KubernetesObject, ResourceName } from './types.ts'
import {
  CONFIGURATION_NAME,
  type CustomResource,
  DEV_LABELS,
  DEV_SELECTOR,
  webhook,
} from './webhook_configuration.ts'

interface Configuration extends KubernetesObject {
  readonly webhooks?: readonly { readonly clientConfig: { readonly url?: string } }[]
}

const CONFIGURATIONS = [MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS]

/**
 * Opens the cluster of a kubeconfig, to register the webhooks there.
 *
 * @throws ClusterError when the file is no kubeconfig; later, from each method, when the API
 *   server can't be reached or refuses
 *
 * @example
 *   const cluster = await openRegistration({ kubeconfig: '/home/me/.kube/config' })
 *   await cluster.register({ url, caBundle, failurePolicy: 'Fail', timeoutSeconds: 10, fields: [] })
 */
export async function openRegistration(options: {
  readonly kubeconfig: string
  readonly context?: string | undefined
}): Promise<ClusterRegistration> {
  const { cluster, asking } = await connect(options)
  const create = (resource: ResourceName, webhooks: readonly object[]) => {
    const metadata = { name: CONFIGURATION_NAME, labels: DEV_LABELS }
    return cluster.create<KubernetesObject>(resource, { metadata, webhooks } as KubernetesObject)
  }
  return {
    server: cluster.server,
    leftOver: async () =>
      (await made(cluster)).map(({ title, object }) => {
        return { title, url: object.webhooks?.[0]?.clientConfig.url }
      }),
    async register(registration) {
      const custom = await discover(asking, registration.fields)
      await removeAll(cluster)
      await create(MUTATING_WEBHOOK_CONFIGURATIONS, [webhook('mutate', registration, custom)])
      await create(VALIDATING_WEBHOOK_CONFIGURATIONS, [webhook('validate', registration, custom)])
    },
    async trust(caBundle) {
      const encoded = Buffer.from(caBundle).toString('base64')
      for (const { resource, object } of await made(cluster)) {
        const webhooks = object.webhooks?.map((each) => ({
          ...each,
          clientConfig: { ...each.clientConfig, caBundle: encoded },
        }))
        await cluster.replace(resource, { ...object, webhooks } as Configuration)
      }
    },
    unregister: () => removeAll(cluster),
  }
}

/** The configurations that are there, of this run or of an earlier one. */
async function made(cluster: Cluster) {
  const found: { resource: ResourceName; object: Configuration; title: string }[] = []
  for (const resource of CONFIGURATIONS) {
    const pages = cluster.pages<Configuration>(resource, { labelSelector: DEV_SELECTOR })
    for await (const page of pages) {
      for (const object of page) {
        found.push({ resource, object, title: `${resource.kind} ${object.metadata.name}` })
      }
    }
  }
  return found
}

async function removeAll(cluster: Cluster): Promise<string[]> {
  const all = await made(cluster)
  for (const { resource, object } of all) {
    await cluster.remove(resource, { name: object.metadata.name })
  }
  return all.map(({ title }) => title)
}

/** Finds the plural names of custom kinds; one that the cluster does not serve is left out. */
async function discover(asking: Asking, fields: readonly ImageField[]): Promise<CustomResource[]> {
  const resources = await Promise.all(fields.map((field) => resourcesOfKind(asking, field)))
  return resources
    .flat()
    .map(({ group, version, plural }) => ({ group, version, resource: plural }))
}
