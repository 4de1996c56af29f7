import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createCatalog } from '../catalog/index.ts'
import type { Config } from '../config/index.ts'
import type { FactSource } from '../decisions/index.ts'
import { describeError, TagwardenError } from '../errors.ts'
import { compilePolicies, type PolicySet } from '../policies/index.ts'
import { offlineSource } from '../review/index.ts'
import { loadPolicies } from '../sources/index.ts'
import { kubeconfigFor } from './cluster_choice.ts'
import { isUnconfigured } from './embedded_default.ts'
import type { Streams } from './output.ts'
import { createStops } from './stops.ts'

/** Where the policies and the facts of a command come from. */
export interface WorldOptions {
  readonly policies?: readonly string[] | undefined
  /** the policies in force in a cluster count too */
  readonly cluster?: boolean | undefined
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  /** folder of an index that is only read */
  readonly index?: string | undefined
  /** registries may not be asked */
  readonly offline?: boolean | undefined
}

/** Policies and facts, for as long as a command runs. */
export interface World {
  readonly policies: () => PolicySet
  readonly source: FactSource
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>
  /** what of the cluster could not be read */
  readonly problems: readonly TagwardenError[]
  /** for people */
  readonly notes: readonly string[]
  close(): Promise<void>
}

/** Where policies lie when nothing is said of them. */
const USUAL_FOLDER = './policies'

/**
 * Opens policies and facts.
 *
 * @throws TagwardenError, or an AggregateError of several, for what is wrong with policies, index or
 *   cluster
 */
export async function openWorld(
  config: Config,
  options: WorldOptions,
  streams: Streams,
  signal: AbortSignal,
): Promise<World> {
  const stops = createStops()
  try {
    const policies = await openPolicies(config, options, signal)
    const source = await openFacts(config, options, streams, stops)
    return { ...policies, source, close: stops.all }
  } catch (error) {
    await stops.all()
    throw error
  }
}

type Stops = ReturnType<typeof createStops>

async function openPolicies(
  config: Config,
  options: WorldOptions,
  signal: AbortSignal,
): Promise<Pick<World, 'policies' | 'namespaceLabels' | 'problems' | 'notes'>> {
  const { enforcement } = config.defaults
  const usual = isUnconfigured(config, process.env) && existsSync(USUAL_FOLDER)
  const paths = options.policies ?? (usual ? [USUAL_FOLDER] : config.policies)
  if (!options.cluster) {
    const none = paths.length === 0
    const { set } = none ? compilePolicies([]) : await loadPolicies({ paths, enforcement })
    const note = 'No policies were given, so only the defaults count: see --policies and --cluster'
    const notes = none ? [note] : []
    return { policies: () => set, namespaceLabels: () => ({}), problems: [], notes }
  }
  const { openCluster } = await import('../cluster/index.ts')
  const { overlaid, readPoliciesInForce } = await import('../sources/cluster.ts')
  const context = options.context ?? config.cluster.context
  const cluster = await openCluster({
    kubeconfig: kubeconfigFor(options.kubeconfig, config),
    context,
  })
  try {
    const live = await readPoliciesInForce(cluster, undefined, signal)
    const files = await loadPolicies({ paths, enforcement, secrets: true })
    const resources = overlaid(live.resources, files.resources)
    const { set, problems } = compilePolicies(resources, { enforcement, secrets: true })
    const unread = live.problems.filter(({ code }) => code === 'ERR_CLUSTER')
    const wrong = [...live.problems.filter((each) => !unread.includes(each)), ...problems]
    return {
      policies: () => set,
      namespaceLabels: live.namespaceLabels,
      problems: unread,
      notes: wrong.map((each) => `A policy is left out: ${describeError(each)}`),
    }
  } finally {
    await cluster.close()
  }
}

async function openFacts(
  config: Config,
  options: WorldOptions,
  streams: Streams,
  stops: Stops,
): Promise<FactSource> {
  const told = options.index === undefined ? undefined : resolve(options.index)
  if (told !== undefined && !existsSync(told)) {
    throw new TagwardenError('ERR_CATALOG', `there is no folder ${options.index}`, {
      remedy: 'Give --index a folder that holds an index, such as the one of catalog.path',
    })
  }
  const catalog = createCatalog({
    path: told ?? usualIndex(config),
    readOnly: told !== undefined || options.offline === true,
    onProblem: (problem) => streams.err(`tagwarden: ${describeError(problem)}\n`),
  })
  stops.add(() => catalog.close())
  if (options.offline) return offlineSource((name) => catalog.get(name))
  const { createRegistryClient } = await import('../registry/index.ts')
  const { createScanner } = await import('../scanner/index.ts')
  const client = createRegistryClient({ settings: config.registries })
  stops.add(() => client.close())
  const scanner = createScanner({ catalog, client, interval: config.catalog.interval })
  stops.add(() => scanner.stop())
  return scanner
}

/** Where nothing is configured, no folder is made in the one that somebody happens to be in. */
function usualIndex({ file, catalog: { path } }: Config): string | undefined {
  const chosen = file !== undefined || process.env['TAGWARDEN_CATALOG_PATH'] !== undefined
  return chosen || (path !== undefined && existsSync(path)) ? path : undefined
}
