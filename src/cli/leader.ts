import type { ReviewOptions } from '../admission/index.ts'
import { type AuditState, createBackgroundAudit } from '../audit/index.ts'
import type { Catalog } from '../catalog/index.ts'
import type { Certificates } from '../certificates/index.ts'
import type { Cluster, EventRecorder, OwnerReference } from '../cluster/index.ts'
import { type Config, excludedNamespaces } from '../config/index.ts'
import type { Metrics } from '../metrics/index.ts'
import { startPromoter } from '../promotion/index.ts'
import type { Repositories } from '../repositories/index.ts'
import type { Scanner } from '../scanner/index.ts'
import type { PolicySource } from '../sources/index.ts'
import { startPolicyStatus } from '../status/index.ts'
import { startWebhookController, type WebhookController } from '../webhooks/index.ts'
import { customKindsFinder } from './custom_kinds.ts'
import type { Log } from './log.ts'
import { VERSION } from './version.ts'

/** What the leader works with: the parts of its replica. */
export interface LeaderParts {
  readonly cluster: Cluster
  readonly config: Config
  /** of the installation */
  readonly namespace: string
  readonly owner: () => Promise<OwnerReference | undefined>
  readonly ownerAtStart: Promise<OwnerReference | undefined>
  readonly policies: PolicySource
  /** Calls when other policies are in force. Returns how to end that. */
  readonly onPolicies: (listener: () => void) => () => void
  readonly repositories: Repositories
  readonly catalog: Catalog
  readonly scanner: Scanner
  readonly certificates: Certificates
  readonly review: ReviewOptions
  readonly events: EventRecorder
  readonly metrics: Metrics
  readonly log: Log
}

/** What only one replica of an installation does. */
export interface Leader {
  /** Does it until the signal; resolves when nothing of it runs any more. */
  lead(signal: AbortSignal): Promise<void>
  /** undefined: this replica has not audited yet */
  readonly audit: () => AuditState | undefined
  /** whether the API server calls the webhook, and when (ms) that was tried; undefined: never yet */
  readonly probe: () => { readonly alive: boolean; readonly at: number } | undefined
}

export function createLeader(parts: LeaderParts): Leader {
  const { cluster, config, namespace, owner, policies, onPolicies, review } = parts
  const { catalog, scanner, events, metrics, log } = parts
  const { cluster: settings } = config
  let controller: WebhookController | undefined
  const customKinds = customKindsFinder(cluster, config, (message) =>
    log.warn({ code: 'ERR_CLUSTER' }, message),
  )
  const excluded = new Set(excludedNamespaces({ namespace, webhooks: settings.webhooks }))
  const promoter = startPromoter({
    cluster,
    review,
    onPolicies,
    onScanned: (listener) => scanner.onScanned(listener),
    snapshot: (key) => catalog.get(key),
    subjectOf: policies.subjectOf,
    events,
    customKinds,
    excludedNamespaces: excluded,
    log,
    metrics: {
      promoted: () => metrics.promoted('promoted'),
      failed: () => metrics.promoted('failed'),
      stopped: () => metrics.promoted('stopped'),
    },
  })
  const auditor = createBackgroundAudit({
    ...{ cluster, review, log, name: settings.name, owner },
    version: VERSION,
    interval: config.audit.interval,
    onPolicies,
    customKinds,
    excludedNamespaces: excluded,
  })
  const statuses = startPolicyStatus({ cluster, policies, catalog, scanner, log })

  return {
    async lead(signal) {
      log.info({}, 'this replica leads')
      controller = startWebhookController({
        cluster,
        settings,
        namespace,
        policies: { current: policies.current, subscribe: onPolicies },
        fields: config.imageFields,
        certificates: parts.certificates,
        owner: await parts.ownerAtStart,
        events,
        log,
        signal,
      })
      await Promise.all([
        controller.ended,
        parts.repositories.lead(signal),
        settings.promotion === 'On' && promoter.lead(signal),
        config.audit.mode === 'On' && auditor.lead(signal),
        statuses.lead(signal),
      ])
      log.info({}, 'this replica leads no more')
    },
    audit: () => auditor.last(),
    probe() {
      const { aliveSince, lastProbe } = controller?.probe() ?? {}
      return lastProbe === undefined
        ? undefined
        : { alive: aliveSince !== undefined, at: lastProbe }
    },
  }
}
