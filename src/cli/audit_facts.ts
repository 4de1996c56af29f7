import type { PulledObject } from '../admission/index.ts'
import { accessOfKey, createCatalog } from '../catalog/index.ts'
import { type Cluster, VALIDATING_WEBHOOK_CONFIGURATIONS } from '../cluster/index.ts'
import type { Config } from '../config/index.ts'
import type { FactFailure, FactSource } from '../decisions/index.ts'
import { describeError } from '../errors.ts'
import { createRegistryClient } from '../registry/index.ts'
import { readSharedIndex } from '../repositories/index.ts'
import { createScanner } from '../scanner/index.ts'
import { createStops } from './stops.ts'

/** Where an audit from outside has its facts from. */
export interface AuditFacts {
  readonly source: (object: PulledObject) => FactSource
  /** how often a registry was asked */
  readonly lookUps: () => number
  close(): Promise<void>
}

/**
 * Opens the index: that of a configured folder, what the installation shares in its
 * ImageRepositories, and, unless it is to be offline, the registries for what is in neither. What
 * namespaces read by Secrets of their own is known from the shared index only.
 */
export async function openAuditFacts(options: {
  readonly cluster: Cluster
  readonly config: Config
  /** the cluster may have a shared index */
  readonly isShared: boolean
  readonly offline: boolean
  readonly signal: AbortSignal
  readonly onProblem: (message: string) => void
}): Promise<AuditFacts> {
  const { cluster, config, onProblem, signal } = options
  const stops = createStops()
  const catalog = createCatalog({
    path: config.file === undefined ? undefined : config.catalog.path,
    onProblem: (problem) => onProblem(describeError(problem)),
  })
  stops.add(() => catalog.close())
  const client = createRegistryClient({ settings: config.registries })
  stops.add(() => client.close())
  const scanner = createScanner({ catalog, client, interval: config.catalog.interval })
  stops.add(() => scanner.stop())
  let lookUps = 0
  try {
    const shared = options.isShared
      ? await readSharedIndex({
          ...{ cluster, catalog, onProblem, signal },
          namespace: await installationOf(cluster, config),
        })
      : undefined
    return {
      source: ({ namespace }) => {
        const keyOf = (name: string) => shared?.keyIn(namespace, name) ?? name
        return {
          snapshot: (name) => catalog.get(keyOf(name)),
          async gather(need, within) {
            const key = keyOf(need.name)
            if (options.offline) return failure('registries are not asked with --offline')
            if (accessOfKey(key) !== undefined) {
              return failure(
                `only Tagwarden in the cluster can read it, by a Secret of ${namespace}`,
              )
            }
            lookUps += 1
            return scanner.gather(need, AbortSignal.any([within, signal]))
          },
        }
      },
      lookUps: () => lookUps,
      close: stops.all,
    }
  } catch (error) {
    await stops.all()
    throw error
  }
}

function failure(message: string): FactFailure {
  return { code: 'ERR_REGISTRY_UNREACHABLE', message, at: Date.now() }
}

interface WebhookConfiguration {
  readonly metadata: { readonly name: string }
  readonly webhooks?: readonly {
    readonly clientConfig?: { readonly service?: { readonly namespace?: string } }
  }[]
}

/** The namespace of the installation: as configured, else as its webhook says, else its name. */
async function installationOf(cluster: Cluster, { cluster: settings }: Config): Promise<string> {
  const { namespace, name } = settings
  if (namespace !== undefined) return namespace
  const found = await cluster
    .get<WebhookConfiguration>(VALIDATING_WEBHOOK_CONFIGURATIONS, { name })
    .catch(() => undefined)
  const services = (found?.webhooks ?? []).flatMap(
    ({ clientConfig }) => clientConfig?.service ?? [],
  )
  return services[0]?.namespace ?? name
}
