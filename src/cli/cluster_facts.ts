import type { PulledObject } from '../admission/index.ts'
import { accessOfKey, createCatalog } from '../catalog/index.ts'
import { type Cluster, VALIDATING_WEBHOOK_CONFIGURATIONS } from '../cluster/index.ts'
import type { Config } from '../config/index.ts'
import type { FactFailure, FactSource } from '../decisions/index.ts'
import { describeError } from '../errors.ts'
import { readSharedIndex } from '../repositories/index.ts'
import { keyedSource, offlineSource } from '../review/index.ts'
import { openScanner } from './command_scanner.ts'
import { createStops } from './stops.ts'

/** Where a command that judges by a cluster has its facts from. */
export interface ClusterFacts {
  /** by keys of the index, which keyIn() gives */
  readonly source: FactSource
  /** the key under which a namespace's workloads know a repository, by its name */
  readonly keyIn: (namespace: string, name: string) => string
  /** the same for one object, by names */
  readonly sourceFor: (object: PulledObject) => FactSource
  /** how often a registry was asked */
  readonly lookUps: () => number
  close(): Promise<void>
}

/**
 * Opens the index: that of a folder, what the installation shares in its ImageRepositories, and,
 * unless it is to be offline, the registries for what is in neither. What namespaces read by Secrets
 * of their own is known from the shared index only. Of the cluster nothing is asked afterwards.
 *
 * @param options.path folder of an index
 */
export async function openClusterFacts(options: {
  readonly cluster: Cluster
  readonly config: Config
  readonly path: string | undefined
  readonly readOnly?: boolean
  /** the cluster may have a shared index */
  readonly isShared: boolean
  readonly offline: boolean
  readonly signal: AbortSignal
  readonly onProblem: (message: string) => void
}): Promise<ClusterFacts> {
  const { cluster, config, path, readOnly = false, onProblem, signal } = options
  const stops = createStops()
  const catalog = createCatalog({
    ...{ path, readOnly },
    onProblem: (problem) => onProblem(describeError(problem)),
  })
  stops.add(() => catalog.close())
  const asked = options.offline
    ? offlineSource((key) => catalog.get(key))
    : openScanner(config, catalog, stops)
  let lookUps = 0
  try {
    const shared = options.isShared
      ? await readSharedIndex({
          ...{ cluster, catalog, onProblem, signal },
          namespace: await installationOf(cluster, config),
        })
      : undefined
    const keyIn = (namespace: string, name: string) => shared?.keyIn(namespace, name) ?? name
    const source: FactSource = {
      snapshot: (key) => catalog.get(key),
      async gather(need, within) {
        const access = accessOfKey(need.name)
        if (access !== undefined) return outOfReach(access)
        if (!options.offline) lookUps += 1
        return asked.gather(need, AbortSignal.any([within, signal]))
      },
    }
    return {
      ...{ source, keyIn },
      sourceFor: ({ namespace }) => keyedSource(source, (name) => keyIn(namespace, name)),
      lookUps: () => lookUps,
      close: stops.all,
    }
  } catch (error) {
    await stops.all()
    throw error
  }
}

/** The folder of an index that somebody has configured. */
export function ownIndex({ file, catalog }: Config): string | undefined {
  return file === undefined ? undefined : catalog.path
}

/** @param access `namespace/secret` */
function outOfReach(access: string): FactFailure {
  const [namespace = ''] = access.split('/')
  const message = `only Tagwarden in the cluster can read it, by a Secret of ${namespace}`
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
