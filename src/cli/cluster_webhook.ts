import { hostname } from 'node:os'
import {
  createDenialEvents,
  createPolicyReviewHandler,
  createReviewHandlers,
  type ReviewOptions,
  type ReviewSummary,
} from '../admission/index.ts'
import { createCatalog } from '../catalog/index.ts'
import { secretStore } from '../certificates/cluster.ts'
import {
  type CertificateStore,
  folderStore,
  LOOPBACK,
  openCertificates,
  serviceNames,
} from '../certificates/index.ts'
import {
  type Cluster,
  createEventRecorder,
  electLeader,
  findOwner,
  type OwnerReference,
  openCluster,
} from '../cluster/index.ts'
import type { Config } from '../config/index.ts'
import { createPullSecrets, createReviewSource, type PullSecrets } from '../credentials/index.ts'
import { describeError, type TagwardenError } from '../errors.ts'
import { pullIdentity } from '../images/index.ts'
import { createMetrics, createRegistry, indexFigures } from '../metrics/index.ts'
import { isPromoted } from '../promotion/index.ts'
import { type Repositories, startRepositories } from '../repositories/index.ts'
import { createScanner } from '../scanner/index.ts'
import { createServer } from '../server/index.ts'
import { openPolicyCluster } from '../sources/cluster.ts'
import { createProbeHandlers } from '../webhooks/index.ts'
import { certificateFigures } from './certificate_figures.ts'
import { logCertificates } from './certificate_log.ts'
import { clientFigures, openClients } from './clients.ts'
import { createLeader, type Leader } from './leader.ts'
import type { Log } from './log.ts'
import { policyFigures } from './policy_figures.ts'
import { createProblemLog } from './problem_log.ts'
import { untilReachable } from './reachable.ts'
import { openRegistries } from './registries.ts'
import { rehearse } from './rehearsal.ts'
import { logReview } from './review_log.ts'
import { reviewSettings } from './review_settings.ts'
import { createStops } from './stops.ts'
import { type Webhook, webhookAt } from './webhook.ts'

/**
 * Starts one replica of an installation in a cluster. It listens at once, is ready when everything
 * that was there is known, and takes part in the election of a leader from then on.
 *
 * @throws TagwardenError, or an AggregateError of them when several policy files are wrong
 */
export async function startClusterWebhook(config: Config, log: Log): Promise<Webhook> {
  const { cluster: settings } = config
  const stops = createStops()
  const problem = (error: TagwardenError) => log.warn({ code: error.code }, describeError(error))
  try {
    const cluster = await openCluster({ ...settings, log })
    stops.add(() => cluster.close())
    await untilReachable(cluster, log)
    const namespace = settings.namespace ?? cluster.namespace
    const owner = () => findOwner(cluster, settings.name)
    const ownerAtStart = owner().catch(() => undefined)
    const registry = createRegistry()

    const catalog = createCatalog({ path: config.catalog.path, onProblem: problem })
    stops.add(() => catalog.close())
    const secrets = createPullSecrets({
      cluster,
      namespace,
      settings: settings.pullSecrets,
      imageRepository: (of, name) => repositories.accessIn(of, name),
      log,
    })
    stops.add(() => secrets.close())
    const client = openRegistries(config, stops, secrets.installation)
    const scanner = createScanner({
      catalog,
      client,
      interval: config.catalog.interval,
      access: secrets.access,
      log,
      measure: {
        scanned: (outcome, ms) => metrics.scanned(outcome, ms),
        waited: (ms) => metrics.waited(ms),
      },
    })
    scanner.setScheduled(false)
    stops.add(() => scanner.stop())
    secrets.onChange((accessId) => scanner.renew(accessId))

    const onPolicies = new Set<() => void>()
    const policies = await openPolicyCluster({
      cluster,
      paths: config.policies,
      enforcement: config.defaults.enforcement,
      log,
      onChange: (set) => {
        log.info({ policies: set.policies.length, revision: set.revision }, 'policies in force')
        for (const listener of onPolicies) listener()
      },
      onProblems: createProblemLog(log),
    })
    stops.add(() => policies.close())
    const subscribe = (listener: () => void) => {
      onPolicies.add(listener)
      return () => onPolicies.delete(listener)
    }
    const repositories: Repositories = startRepositories({
      cluster,
      catalog,
      scanner,
      secrets,
      namespace,
      policies: policies.current,
      interval: config.catalog.interval,
      log,
    })
    stops.add(() => repositories.close())
    subscribe(() => repositories.policiesChanged())

    const certificates = await openCertificates({
      store: certificateStore(cluster, namespace, config, owner),
      names: [...LOOPBACK, ...serviceNames(settings.name, namespace), ...config.certificates.names],
      onProblem: problem,
    })
    stops.add(() => certificates.close())
    logCertificates(certificates, log)
    const clients = await openClients(config, log, stops)

    let leader: Leader | undefined
    const metrics = createMetrics(registry, {
      leading: () => election?.leading() ?? false,
      certificates: () => [...certificateFigures(certificates.current()), ...clientFigures(server)],
      index: () => indexFigures(catalog),
      overdue: () => scanner.overdue(),
      audit: () => leader?.audit(),
      probe: () => leader?.probe(),
      ...policyFigures(policies, Date.now),
    })
    const events = createEventRecorder(cluster, {
      component: settings.name,
      onLoss: metrics.eventDropped,
      log,
    })
    stops.add(() => events.close())

    const sourceFor = createReviewSource(secrets, scanner)
    const review: ReviewOptions = {
      policies: policies.current,
      source: sourceFor,
      ...reviewSettings(config),
      namespaceLabels: policies.namespaceLabels,
      promotes: (kind) => settings.promotion === 'On' && isPromoted(kind, config.imageFields),
    }
    const tellDenied = createDenialEvents(events, policies.subjectOf)
    const tellUse = useReporter(repositories, secrets)
    const onReviewed = (summary: ReviewSummary) => {
      metrics.reviewed(summary)
      logReview(log, summary)
      tellDenied(summary)
      tellUse(summary)
    }
    const server = createServer({
      certificates,
      clients,
      handlers: {
        ...createReviewHandlers({ ...review, onReviewed }),
        policies: createPolicyReviewHandler({
          policies: policies.current,
          enforcement: config.defaults.enforcement,
          customKinds: config.imageFields,
          onReviewed,
        }),
        ...createProbeHandlers(),
      },
      ready: () => [
        { name: 'policies', problem: policies.missing() },
        {
          name: 'index',
          problem: repositories.isSynced()
            ? undefined
            : (repositories.problem() ?? 'it is being read'),
        },
        {
          name: 'trust',
          problem: certificates.trusted()
            ? undefined
            : 'the webhook configurations do not trust this certificate yet',
        },
      ],
      metrics: registry,
      log,
      bodyLimit: config.listen.bodyLimit,
      drainDelay: config.listen.drainDelay,
    })
    stops.add(() => server.stop())
    const address = await server.listen(config.listen)
    scanner.start()
    const rehearsal = rehearse(config, log)
    stops.add(() => rehearsal)

    leader = createLeader({
      ...{ cluster, config, namespace, owner, ownerAtStart, policies, onPolicies: subscribe },
      ...{ repositories, catalog, scanner, certificates, review, events, metrics, log },
    })
    const { lead } = leader
    let election: ReturnType<typeof electLeader> | undefined
    let stopping = false
    stops.add(async () => {
      stopping = true
      await election?.release()
    })
    void Promise.all([policies.synced, repositories.synced, secrets.synced]).then(() => {
      if (stopping) return
      void scanner.prune()
      election = electLeader(cluster, {
        namespace,
        name: settings.name,
        identity: settings.identity ?? hostname(),
        leaseDuration: settings.leaseDuration,
        owner,
        onLeading: lead,
        log,
      })
    })
    return webhookAt(address, certificates, policies.current, stops)
  } catch (error) {
    await stops.all()
    throw error
  }
}

function certificateStore(
  cluster: Cluster,
  namespace: string,
  { cluster: settings, certificates }: Config,
  owner: () => Promise<OwnerReference | undefined>,
): CertificateStore {
  if (settings.certificates === 'Folder') return folderStore(certificates.path)
  const { manage, caBundle } = settings.webhooks
  return secretStore({
    cluster,
    namespace,
    name: `${settings.name}-certificates`,
    owner,
    labels: { 'app.kubernetes.io/name': 'tagwarden', 'app.kubernetes.io/instance': settings.name },
    awaitsTrust: manage === 'Always' && caBundle === 'Own',
  })
}

/** Tells which repositories workloads use, so that they are kept in the index. */
function useReporter(repositories: Repositories, secrets: PullSecrets) {
  return ({ hook, request, decisions, verdict }: ReviewSummary): void => {
    if (hook !== 'validate' || request.dryRun || verdict === 'denied') return
    const { namespace, kind, object } = request
    const pulled = secrets.reads(namespace) ? pullIdentity(object, kind) : undefined
    for (const { image, policies } of decisions) {
      if (!image || policies.length === 0) continue
      const access = pulled && secrets.accessFor({ namespace, ...pulled }, image.name)
      repositories.used(image.name, access?.id)
    }
  }
}
