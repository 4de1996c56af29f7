import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { createCatalog } from '../catalog/index.ts'
import type { Config } from '../config/index.ts'
import type { FactSource } from '../decisions/index.ts'
import { describeError, TagwardenError } from '../errors.ts'
import { compilePolicies, type PolicySet } from '../policies/index.ts'
import { offlineSource } from '../review/index.ts'
import { type LoadedPolicies, loadPolicies, type PolicyPaths } from '../sources/index.ts'
import { chosenCluster } from './cluster_choice.ts'
import { isUnconfigured } from './embedded_default.ts'
import type { Streams } from './output.ts'
import { createStops, type Stops } from './stops.ts'

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
  /** by keys of the index, where there is `keyIn` */
  readonly source: FactSource
  /** the key under which objects of a namespace know a repository; undefined: its name */
  readonly keyIn: ((namespace: string, name: string) => string) | undefined
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
  const { enforcement } = config.defaults
  const usual = isUnconfigured(config, process.env) && existsSync(USUAL_FOLDER)
  const paths = options.policies ?? (usual ? [USUAL_FOLDER] : config.policies)
  const onProblem = (message: string) => streams.err(`tagwarden: ${message}\n`)
  try {
    if (options.cluster) {
      const world = await openClusterWorld(config, options, { paths, onProblem, stops, signal })
      return { ...world, close: stops.all }
    }
    const { set, resources, notes } = await loadNamed(paths, options.policies, { enforcement })
    const none = resources.length === 0
    const note =
      paths.length === 0
        ? 'No policies were given, so only the defaults count: see --policies and --cluster'
        : `There is no policy in ${paths.join(', ')}, so only the defaults count`
    return {
      ...{ policies: () => set, keyIn: undefined, namespaceLabels: () => ({}), problems: [] },
      notes: [...(none ? [note] : []), ...notes],
      source: await openFacts(config, options, onProblem, stops),
      close: stops.all,
    }
  } catch (error) {
    await stops.all()
    throw error
  }
}

/**
 * Reads policies of files.
 *
 * @param named by `--policies`: nobody wants them to be none, and all would be permitted
 */
export async function loadNamed(
  paths: readonly string[],
  named: readonly string[] | undefined,
  options: Omit<PolicyPaths, 'paths'>,
): Promise<LoadedPolicies> {
  const loaded = await loadPolicies({ paths, ...options })
  if (named === undefined || loaded.resources.length > 0) return loaded
  throw new TagwardenError('ERR_INVALID_POLICY', `there is no policy in ${named.join(', ')}`, {
    remedy: 'Check the path: policies are read from files that end in .yaml, .yml or .json',
  })
}

/** The policies in force in a cluster, and what its installation knows of tags. */
async function openClusterWorld(
  config: Config,
  options: WorldOptions,
  run: {
    readonly paths: readonly string[]
    readonly onProblem: (message: string) => void
    readonly stops: Stops
    readonly signal: AbortSignal
  },
): Promise<Omit<World, 'close'>> {
  const { paths, onProblem, stops, signal } = run
  const { enforcement } = config.defaults
  const { openCluster } = await import('../cluster/index.ts')
  const { lackingLabels, overlaid, readPoliciesInForce } = await import('../sources/cluster.ts')
  const { openClusterFacts } = await import('./cluster_facts.ts')
  const cluster = await openCluster(chosenCluster(options, config))
  try {
    const live = await readPoliciesInForce(cluster, undefined, signal)
    const files = await loadNamed(paths, options.policies, { enforcement, secrets: true })
    const resources = overlaid(live.resources, files.resources)
    const { set, problems } = compilePolicies(resources, { enforcement, secrets: true })
    const unread = live.problems.filter(({ code }) => code === 'ERR_CLUSTER')
    const wrong = [...live.problems.filter((each) => !unread.includes(each)), ...problems]
    const offline = options.offline === true
    const facts = await openClusterFacts({
      ...{ cluster, config, offline, isShared: live.isServed, onProblem, signal },
      path: indexOf(config, options),
      readOnly: options.index !== undefined || offline,
    })
    stops.add(facts.close)
    return {
      policies: () => set,
      ...{ source: facts.source, keyIn: facts.keyIn },
      namespaceLabels: live.namespaceLabels,
      problems: [...unread, ...lackingLabels(live, [set])],
      notes: [
        ...wrong.map((each) => `A policy is left out: ${describeError(each)}`),
        ...files.notes,
      ],
    }
  } finally {
    await cluster.close()
  }
}

async function openFacts(
  config: Config,
  options: WorldOptions,
  onProblem: (message: string) => void,
  stops: Stops,
): Promise<FactSource> {
  const catalog = createCatalog({
    path: indexOf(config, options),
    readOnly: options.index !== undefined || options.offline === true,
    onProblem: (problem) => onProblem(describeError(problem)),
  })
  stops.add(() => catalog.close())
  if (options.offline) return offlineSource((name) => catalog.get(name))
  const { openScanner } = await import('./command_scanner.ts')
  return openScanner(config, catalog, stops)
}

/** The folder of the index: the one that is given, else the usual one. */
function indexOf(config: Config, { index }: WorldOptions): string | undefined {
  if (index === undefined) return usualIndex(config)
  const told = resolve(index)
  if (statSync(told, { throwIfNoEntry: false })?.isDirectory()) return told
  throw new TagwardenError('ERR_CATALOG', `there is no folder ${index}`, {
    remedy: 'Give --index a folder that holds an index, such as the one of catalog.path',
  })
}

/** Where nothing is configured, no folder is made in the one that somebody happens to be in. */
function usualIndex({ file, catalog: { path } }: Config): string | undefined {
  const chosen = file !== undefined || process.env['TAGWARDEN_CATALOG_PATH'] !== undefined
  return chosen || (path !== undefined && existsSync(path)) ? path : undefined
}
