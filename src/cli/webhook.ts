import { createReviewHandlers } from '../admission/index.ts'
import { createCatalog } from '../catalog/index.ts'
import {
  type Certificates,
  folderStore,
  LOOPBACK,
  openCertificates,
} from '../certificates/index.ts'
import type { Config } from '../config/index.ts'
import { describeError, type TagwardenError } from '../errors.ts'
import { createMetrics, createRegistry, indexFigures } from '../metrics/index.ts'
import type { PolicySet } from '../policies/types.ts'
import { createScanner, type Scanner, scanSettingsOf } from '../scanner/index.ts'
import { type Address, createServer } from '../server/index.ts'
import { openPolicyFolder } from '../sources/index.ts'
import { certificateFigures } from './certificate_figures.ts'
import { logCertificates } from './certificate_log.ts'
import { clientFigures, openClients } from './clients.ts'
import { createDoubtLog, knownKinds } from './doubt_log.ts'
import type { Log } from './log.ts'
import { createProblemLog } from './problem_log.ts'
import { openRegistries } from './registries.ts'
import { rehearse } from './rehearsal.ts'
import { logReview } from './review_log.ts'
import { reviewSettings } from './review_settings.ts'
import { createStops, type Stops } from './stops.ts'

/** A running webhook with everything that it needs. */
export interface Webhook extends Address {
  /** PEM of what a client must trust, and calls when it changes */
  readonly caBundle: () => string
  readonly onCaBundle: (listener: (caBundle: string) => void) => () => void
  /** how many policies are in force */
  readonly policies: () => number
  /** Stops being ready, drains, writes the index. */
  stop(): Promise<void>
}

/**
 * Starts the webhook: policies, index, certificate, scanner, server, in this order; all that was
 * started is stopped again when a later step fails.
 *
 * @throws TagwardenError, or an AggregateError of them when several policies are wrong
 */
export async function startWebhook(config: Config, log: Log): Promise<Webhook> {
  const stops = createStops()
  const problem = (error: TagwardenError) => log.warn({ code: error.code }, describeError(error))
  try {
    const tellProblems = createProblemLog(log)
    const tellDoubts = createDoubtLog(log, knownKinds(config))
    let follow = (_set: PolicySet) => {}
    const policies = await openPolicyFolder({
      paths: config.policies,
      enforcement: config.defaults.enforcement,
      onChange: (set, { notes }) => {
        log.info({ policies: set.policies.length, revision: set.revision }, 'policies in force')
        for (const note of notes) log.info({}, note)
        tellDoubts(set)
        follow(set)
      },
      onProblems: (problems) => {
        tellProblems(problems)
        const text =
          problems.length > 0
            ? 'the last good policies stay in force'
            : 'all policies are right again'
        log.info({ problems: problems.length }, text)
      },
    })
    stops.add(() => policies.close())
    const catalog = createCatalog({ path: config.catalog.path, onProblem: problem })
    stops.add(() => catalog.close())
    const client = openRegistries(config, stops)
    const scanner = createScanner({
      catalog,
      client,
      interval: config.catalog.interval,
      log,
      measure: {
        scanned: (outcome, ms) => metrics.scanned(outcome, ms),
        waited: (ms) => metrics.waited(ms),
      },
    })
    stops.add(() => scanner.stop())
    const certificates = await openCertificates({
      store: folderStore(config.certificates.path),
      names: [...LOOPBACK, ...config.certificates.names],
      onProblem: problem,
    })
    stops.add(() => certificates.close())
    logCertificates(certificates, log)
    const clients = await openClients(config, log, stops)
    const registry = createRegistry()
    const metrics = createMetrics(registry, {
      index: () => indexFigures(catalog),
      overdue: () => scanner.overdue(),
      certificates: () => [...certificateFigures(certificates.current()), ...clientFigures(server)],
    })
    const server = createServer({
      certificates,
      clients,
      handlers: createReviewHandlers({
        policies: policies.current,
        source: scanner,
        ...reviewSettings(config),
        onReviewed: (review) => {
          metrics.reviewed(review)
          logReview(log, review)
        },
      }),
      // Without good policies the server is not even made; later the last good ones stay.
      ready: () => [{ name: 'policies', problem: undefined }],
      metrics: registry,
      log,
      bodyLimit: config.listen.bodyLimit,
      drainDelay: config.listen.drainDelay,
    })
    stops.add(() => server.stop())
    const address = await server.listen(config.listen)
    follow = followRepositories(scanner)
    follow(policies.current())
    scanner.start()
    const rehearsal = rehearse(config, log)
    stops.add(() => rehearsal)
    return webhookAt(address, certificates, policies.current, stops)
  } catch (error) {
    await stops.all()
    throw error
  }
}

/** What runs there now. */
export function webhookAt(
  address: Address,
  certificates: Pick<Certificates, 'current' | 'subscribe'>,
  policies: () => PolicySet,
  stops: Stops,
): Webhook {
  return {
    ...address,
    caBundle: () => certificates.current().ca,
    onCaBundle: (listener) => certificates.subscribe(({ ca }) => listener(ca)),
    policies: () => policies().policies.length,
    stop: stops.all,
  }
}

/**
 * Scans what policies name in full before anybody asks for it, and what ImageRepositories in the
 * files say, as they say it.
 */
function followRepositories(scanner: Scanner): (set: PolicySet) => void {
  let configured = new Set<string>()
  return ({ policies, repositories }) => {
    const before = configured
    configured = new Set(repositories.map(({ image }) => image))
    for (const key of before) if (!configured.has(key)) scanner.configure(key, undefined)
    for (const each of repositories) scanner.configure(each.image, scanSettingsOf(each))
    const named = policies.flatMap(({ images }) => images.filter((glob) => !glob.includes('*')))
    scanner.watch(new Set([...named, ...configured]))
  }
}

/** The line that says that the server is there. */
export function listening(url: string, policies: number): string {
  const what = policies === 1 ? '1 policy' : `${policies} policies`
  return `tagwarden listens on ${url} with ${what} in force\n`
}
