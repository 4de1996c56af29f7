import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ReviewSummary } from '../admission/index.ts'
import { COUNTERS, type Family, GAUGES, HISTOGRAMS } from './families.ts'
import { countReviews } from './reviews.ts'
import { countEach } from './series.ts'

/** How one scan of a repository ended. */
export const SCAN_OUTCOMES = ['succeeded', 'failed'] as const
/**
 * What came of a workload that was to be moved. failed: it could not be written, as the API server
 * or a webhook refused; stopped: the others of its policy stay, as it is not available.
 */
export const PROMOTION_OUTCOMES = ['promoted', 'failed', 'stopped'] as const
/** Of an exception, in the words of its status. */
export const EXCEPTION_STATES = ['Active', 'ExpiresSoon', 'Expired', 'Invalid'] as const

export type ScanOutcome = (typeof SCAN_OUTCOMES)[number]
export type PromotionOutcome = (typeof PROMOTION_OUTCOMES)[number]
export type ExceptionState = (typeof EXCEPTION_STATES)[number]

/**
 * Where the figures of the moment come from; each is asked when somebody reads the metrics. What
 * is left out has no metric: without a cluster there is no leader. Times are ms since the epoch.
 */
export interface MetricSources {
  readonly leading?: () => boolean
  readonly certificates?: () => Iterable<{ readonly name: string; readonly notAfter: number }>
  readonly index?: () => IndexFigures
  /** ms that the latest scan is late; undefined: others scan */
  readonly overdue?: () => number | undefined
  readonly policies?: () => Iterable<{
    readonly kind: string
    readonly ready: boolean
    readonly count: number
  }>
  readonly exceptions?: () => Readonly<Record<ExceptionState, number>>
  /** undefined: this replica has audited nothing */
  readonly audit?: () => AuditFigures | undefined
  /** undefined: not probed yet */
  readonly probe?: () => { readonly alive: boolean; readonly at: number } | undefined
}

/** What the last audit found. */
export interface AuditFigures {
  /** by policy, namespace and reason, which are joined by NUL; bounded */
  readonly series: ReadonlyMap<string, number>
  readonly at: number
}

/** The size of the index. */
export interface IndexFigures {
  readonly repositories: number
  readonly tags: number
  /** ms since the epoch; undefined: nothing was scanned yet */
  readonly oldestScan: number | undefined
}

/** What is told of what happens. None of it waits or throws. */
export interface Metrics {
  reviewed(review: ReviewSummary): void
  /** @param ms how long it took */
  scanned(outcome: ScanOutcome, ms: number): void
  /** A request to a registry waited this many ms for its turn. */
  waited(ms: number): void
  promoted(outcome: PromotionOutcome): void
  eventDropped(): void
}

/**
 * Registers every metric of Tagwarden's own but those of HTTP; docs/metrics.md lists them.
 *
 * @example
 *   const metrics = createMetrics(registry, { index: () => indexFigures(catalog) })
 *   createReviewHandlers({ onReviewed: metrics.reviewed, … })
 */
export function createMetrics(
  registry: Registry,
  sources: MetricSources,
  clock: () => number = Date.now,
): Metrics {
  const registers = [registry]
  const counter = (name: keyof typeof COUNTERS) =>
    new Counter({ ...described(name, COUNTERS[name]), registers })
  const histogram = (name: keyof typeof HISTOGRAMS) => {
    const buckets = [...HISTOGRAMS[name].buckets]
    return new Histogram({ ...described(name, HISTOGRAMS[name]), buckets, registers })
  }
  addGauges(registry, sources, clock)
  const scans = counter('tagwarden_scans_total')
  const promotions = counter('tagwarden_promotions_total')
  // From 0 on, so that the first one is seen as an increase.
  for (const outcome of SCAN_OUTCOMES) scans.inc({ outcome }, 0)
  for (const outcome of PROMOTION_OUTCOMES) promotions.inc({ outcome }, 0)
  const duration = histogram('tagwarden_scan_duration_seconds')
  const wait = histogram('tagwarden_registry_wait_seconds')
  const dropped = counter('tagwarden_events_dropped_total')
  const countScan = countEach(scans)
  return {
    reviewed: countReviews({
      reviews: counter('tagwarden_reviews_total'),
      findings: counter('tagwarden_findings_total'),
      policyFindings: counter('tagwarden_policy_findings_total'),
    }),
    scanned: (outcome, ms) => {
      countScan(outcome)
      duration.observe(ms / 1000)
    },
    waited: (ms) => wait.observe(ms / 1000),
    promoted: countEach(promotions),
    eventDropped: () => dropped.inc(),
  }
}

function described(name: string, { help, labels }: Family) {
  return { name, help, labelNames: [...labels] }
}

function addGauges(registry: Registry, sources: MetricSources, clock: () => number): void {
  const gauge = (name: keyof typeof GAUGES, read: (gauge: Gauge) => void) =>
    new Gauge({
      ...described(name, GAUGES[name]),
      registers: [registry],
      collect() {
        this.reset()
        // One without labels begins at 0, which is a claim where nothing is known.
        if (GAUGES[name].labels.length === 0) this.remove()
        read(this)
      },
    })
  const { leading, certificates, index, overdue, policies, exceptions, audit, probe } = sources
  if (leading) gauge('tagwarden_leader', (it) => it.set(leading() ? 1 : 0))
  if (certificates) {
    gauge('tagwarden_certificate_expiry_timestamp_seconds', (it) => {
      for (const { name, notAfter } of certificates())
        it.set({ certificate: name }, notAfter / 1000)
    })
  }
  if (index) {
    gauge('tagwarden_index_repositories', (it) => it.set(index().repositories))
    gauge('tagwarden_index_tags', (it) => it.set(index().tags))
    gauge('tagwarden_index_oldest_scan_age_seconds', (it) => {
      const { oldestScan } = index()
      if (oldestScan !== undefined) it.set((clock() - oldestScan) / 1000)
    })
  }
  if (overdue) {
    gauge('tagwarden_index_overdue_seconds', (it) => {
      const ms = overdue()
      if (ms !== undefined) it.set(ms / 1000)
    })
  }
  if (policies) {
    gauge('tagwarden_policies', (it) => {
      for (const { kind, ready, count } of policies()) it.set({ kind, ready: String(ready) }, count)
    })
  }
  if (exceptions) {
    gauge('tagwarden_exceptions', (it) => {
      for (const [state, count] of Object.entries(exceptions())) it.set({ state }, count)
    })
  }
  if (audit) {
    gauge('tagwarden_audit_findings', (it) => {
      for (const [key, count] of audit()?.series ?? []) {
        const [policy = '', namespace = '', reason = ''] = key.split('\0')
        it.set({ policy, resource_namespace: namespace, reason }, count)
      }
    })
    gauge('tagwarden_audit_timestamp_seconds', (it) => {
      const last = audit()
      if (last) it.set(last.at / 1000)
    })
  }
  if (probe) {
    gauge('tagwarden_webhook_alive', (it) => {
      const last = probe()
      if (last) it.set(last.alive ? 1 : 0)
    })
    gauge('tagwarden_webhook_last_probe_timestamp_seconds', (it) => {
      const last = probe()
      if (last) it.set(last.at / 1000)
    })
  }
}
