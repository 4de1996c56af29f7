import { doubtsInFiles } from '../admission/index.ts'
import { createCatalog } from '../catalog/index.ts'
import { type Config, loadConfig } from '../config/index.ts'
import { type Facts, funnelOf, plainQuestion } from '../decisions/index.ts'
import { describeError } from '../errors.ts'
import { settle } from '../facts/index.ts'
import { type ImageReference, parseReference } from '../images/index.ts'
import { compareTexts } from '../pieces/index.ts'
import type { CompiledException, CompiledPolicy } from '../policies/types.ts'
import { loadPolicies } from '../sources/index.ts'
import { openScanner } from './command_scanner.ts'
import { knownKinds } from './doubt_log.ts'
import { isUnconfigured, startEmbeddedDefault } from './embedded_default.ts'
import type { ClusterView } from './explain_cluster.ts'
import { type Explanation, explanationJson, explanationText, verdictOf } from './explanation.ts'
import type { Streams } from './output.ts'
import { createStops } from './stops.ts'
import { timelineOf } from './timeline.ts'

/** Options of `tagwarden explain` as the command line gives them. */
export interface ExplainOptions {
  readonly policies?: readonly string[]
  readonly namespace?: string
  readonly config?: string
  readonly cluster?: boolean
  readonly kubeconfig?: string
  readonly context?: string
  readonly output: 'text' | 'json'
}

/** How long the registry may take, in ms. */
const PATIENCE = 20_000

/**
 * `tagwarden explain`: what the policies make of an image, and why.
 *
 * @returns exit code: 0 permitted (or only a warning), 1 denied
 * @throws TagwardenError ERR_INVALID_REFERENCE, or what is wrong with configuration and policies
 */
export async function explain(
  text: string,
  options: ExplainOptions,
  streams: Streams,
): Promise<number> {
  const image = parseReference(text)
  const explanation = await found(image, options, streams)
  streams.out(
    options.output === 'json'
      ? `${JSON.stringify(explanationJson(explanation), null, 2)}\n`
      : explanationText(explanation),
  )
  return verdictOf(explanation.decision) === 'denied' ? 1 : 0
}

async function found(
  image: ImageReference,
  options: ExplainOptions,
  streams: Streams,
): Promise<Explanation> {
  const { env } = process
  const loaded = await loadConfig({ file: options.config, env, cwd: process.cwd() })
  const chosen = options.policies
  const clustered = options.cluster || options.kubeconfig !== undefined
  if (chosen === undefined && !clustered && isUnconfigured(loaded, env)) {
    return explainEmbedded(loaded, image, options, streams)
  }
  const config = { ...loaded, ...(chosen && { policies: chosen }) }
  if (!clustered) return explainWith(config, image, options, streams)
  // what asks the API server is loaded where it is asked
  const { openClusterView } = await import('./explain_cluster.ts')
  const tell = (problem: string) => streams.err(`tagwarden: ${problem}\n`)
  const view = await openClusterView(config, options, tell)
  try {
    return await explainWith(config, image, options, streams, view)
  } finally {
    await view.close()
  }
}

async function explainEmbedded(
  config: Config,
  image: ImageReference,
  options: ExplainOptions,
  streams: Streams,
): Promise<Explanation> {
  const embedded = await startEmbeddedDefault(config)
  try {
    return await explainWith(embedded.config, image, options, streams)
  } finally {
    await embedded.registry.close()
  }
}

async function explainWith(
  config: Config,
  image: ImageReference,
  options: ExplainOptions,
  streams: Streams,
  view?: ClusterView,
): Promise<Explanation> {
  const { enforcement } = config.defaults
  const { set } = view ?? (await loadPolicies({ paths: config.policies, enforcement }))
  const covering = set.policies.filter((policy) => policy.covers(image.name))
  const excepting = set.allExceptions.filter((each) => each.covers(image) !== undefined)
  const namespace = options.namespace ?? onlyNamespace(covering, excepting)
  const policies = covering
    .filter((policy) => policy.namespace === undefined || policy.namespace === namespace)
    .toSorted((a, b) => bySpecificity(image, a, b))
  if (!view) {
    const doubts = doubtsInFiles({ policies, allExceptions: [] }, Date.now(), knownKinds(config))
    for (const doubt of doubts) streams.err(`tagwarden: ${doubt}\n`)
  }
  const own = view ? undefined : openFacts(config, streams)
  const source = view?.source(namespace) ?? own!.source
  try {
    const exceptions = excepting.filter((each) => each.namespace === namespace)
    const everywhere = exceptions.filter(({ narrowed }) => !narrowed)
    const question = plainQuestion(image, policies, config.defaults, everywhere)
    if (policies.length > 0 && !source.snapshot(image.name)) {
      await source.gather({ fact: 'repository', name: image.name }, AbortSignal.timeout(PATIENCE))
    }
    const [decision] = await settle([question], { source, deadline: Date.now() + PATIENCE })
    if (!decision) {
      throw new TypeError('settle() gave no decision')
    }
    const now = Date.now()
    const facts: Facts = {
      snapshot: (name) => source.snapshot(name),
      failure: () => undefined,
      now,
    }
    return {
      image,
      decision,
      funnels: policies.map((policy) => ({ policy, funnel: funnelOf(question, policy, facts) })),
      exceptions,
      snapshot: source.snapshot(image.name),
      now,
      elsewhere: covering.filter((policy) => !policies.includes(policy)).map(({ title }) => title),
      timeline: timelineOf(
        source.snapshot(image.name),
        await view?.promotions(covering, image.name),
      ),
      affected: await view?.affected(image.name, options.namespace),
    }
  } finally {
    await own?.close()
  }
}

/** The configured index, and the registries for what it lacks. */
function openFacts(config: Config, streams: Streams) {
  const catalog = createCatalog({
    path: config.catalog.path,
    onProblem: (problem) => streams.err(`tagwarden: ${describeError(problem)}\n`),
  })
  const stops = createStops()
  stops.add(() => catalog.close())
  return { source: openScanner(config, catalog, stops), close: stops.all }
}

/** The namespace of the policies, when it is but one; nobody should have to name it then. */
function onlyNamespace(
  policies: readonly CompiledPolicy[],
  exceptions: readonly CompiledException[],
): string {
  const own = new Set(policies.flatMap(({ namespace }) => namespace ?? []))
  const namespaces = own.size > 0 ? own : new Set(exceptions.map(({ namespace }) => namespace))
  const [only] = namespaces
  return only !== undefined && namespaces.size === 1 ? only : 'default'
}

/** The order of PolicySet.match: namespaced first, then the longest literal pattern, then name. */
function bySpecificity(image: ImageReference, a: CompiledPolicy, b: CompiledPolicy): number {
  const scope = Number(a.namespace === undefined) - Number(b.namespace === undefined)
  const length = b.specificity(image.name) - a.specificity(image.name)
  return scope || length || compareTexts(a.name, b.name) || compareTexts(a.title, b.title)
}
