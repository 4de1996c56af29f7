import { Registry } from 'prom-client'
import t from 'tap'
import type { ReviewSummary } from '../../src/admission/index.ts'
import { createCatalog } from '../../src/catalog/index.ts'
import type { Finding } from '../../src/decisions/index.ts'
import {
  createMetrics,
  createRegistry,
  indexFigures,
  type MetricSources,
} from '../../src/metrics/index.ts'
import { NOW, policy } from '../fakes/facts.ts'

function started(sources: MetricSources = {}) {
  const registry = new Registry()
  return { registry, metrics: createMetrics(registry, sources, () => NOW) }
}

/** The lines with a figure, without those of one name's buckets. */
async function lines(registry: Registry, name: RegExp): Promise<string[]> {
  const text = await registry.metrics()
  return text.split('\n').filter((line) => !line.startsWith('#') && name.test(line))
}

function reviewed(
  hook: ReviewSummary['hook'],
  findings: readonly Partial<Finding>[] = [],
): ReviewSummary {
  return {
    hook,
    verdict: findings.length > 0 ? 'denied' : 'allowed',
    decisions: [{ findings }],
  } as unknown as ReviewSummary
}

t.test('reviews are counted by verdict, findings by reason and policy', async (t) => {
  const { registry, metrics } = started()
  const found = { reason: 'LatestTag', enforcement: 'Enforce' } as const
  metrics.reviewed(reviewed('mutate', [{ ...found, policy: policy() }]))
  metrics.reviewed(reviewed('validate', [{ ...found, policy: policy() }]))
  metrics.reviewed(reviewed('validate', [{ ...found, policy: undefined }]))
  metrics.reviewed(reviewed('validate'))
  t.strictSame(await lines(registry, /reviews_total.* [1-9]|findings_total/), [
    'tagwarden_reviews_total{hook="validate",verdict="allowed"} 1',
    'tagwarden_reviews_total{hook="validate",verdict="denied"} 2',
    'tagwarden_reviews_total{hook="mutate",verdict="denied"} 1',
    'tagwarden_findings_total{hook="mutate",reason="LatestTag",enforcement="Enforce"} 1',
    'tagwarden_findings_total{hook="validate",reason="LatestTag",enforcement="Enforce"} 2',
    'tagwarden_policy_findings_total{policy="ImagePolicy shop/web",reason="LatestTag",enforcement="Enforce"} 1',
    'tagwarden_policy_findings_total{policy="(defaults)",reason="LatestTag",enforcement="Enforce"} 1',
  ])
})

t.test('ten thousand policies make no more than some thousand series', async (t) => {
  const { registry, metrics } = started()
  for (let count = 0; count < 10_000; count += 1) {
    const title = `ImagePolicy shop/p${count % 5_000}`
    const finding = { reason: 'OutOfRange', enforcement: 'Warn', policy: { title } }
    metrics.reviewed(reviewed('validate', [finding as Finding]))
  }
  const series = await lines(registry, /policy_findings_total/)
  t.equal(series.length, 1_001)
  t.ok(series[0]?.endsWith(' 2'), 'one that is known goes on')
  t.match(series.at(-1), /policy="\(others\)".* 8000$/)
})

t.test('reviews are counted from 0 on, so that the first denials are an increase', async (t) => {
  const { registry } = started()
  t.strictSame(await lines(registry, /reviews_total/), [
    'tagwarden_reviews_total{hook="mutate",verdict="allowed"} 0',
    'tagwarden_reviews_total{hook="mutate",verdict="changed"} 0',
    'tagwarden_reviews_total{hook="mutate",verdict="skipped"} 0',
    'tagwarden_reviews_total{hook="validate",verdict="allowed"} 0',
    'tagwarden_reviews_total{hook="validate",verdict="denied"} 0',
    'tagwarden_reviews_total{hook="validate",verdict="skipped"} 0',
  ])
})

t.test('scans, waits, promotions and dropped events are counted, from 0 on', async (t) => {
  const { registry, metrics } = started()
  t.strictSame(await lines(registry, /scans_total|promotions_total|dropped/), [
    'tagwarden_scans_total{outcome="succeeded"} 0',
    'tagwarden_scans_total{outcome="failed"} 0',
    'tagwarden_promotions_total{outcome="promoted"} 0',
    'tagwarden_promotions_total{outcome="failed"} 0',
    'tagwarden_promotions_total{outcome="stopped"} 0',
    'tagwarden_events_dropped_total 0',
  ])
  metrics.scanned('failed', 1_500)
  metrics.waited(20)
  metrics.promoted('promoted')
  metrics.promoted('stopped')
  metrics.eventDropped()
  t.strictSame(await lines(registry, /_sum|failed|promotions|dropped/), [
    'tagwarden_scans_total{outcome="failed"} 1',
    'tagwarden_promotions_total{outcome="promoted"} 1',
    'tagwarden_promotions_total{outcome="failed"} 0',
    'tagwarden_promotions_total{outcome="stopped"} 1',
    'tagwarden_scan_duration_seconds_sum 1.5',
    'tagwarden_registry_wait_seconds_sum 0.02',
    'tagwarden_events_dropped_total 1',
  ])
})

t.test(
  'how things are is read when somebody asks, and what is not known is left out',
  async (t) => {
    let leading = false
    let probe: { alive: boolean; at: number } | undefined
    let certificates = [{ name: 'ca', notAfter: NOW }]
    let overdue: number | undefined
    let oldestScan: number | undefined
    const { registry } = started({
      leading: () => leading,
      certificates: () => certificates,
      index: () => ({ repositories: 2, tags: 31, oldestScan }),
      overdue: () => overdue,
      policies: () => [
        { kind: 'ImagePolicy', ready: true, count: 3 },
        { kind: 'ClusterImagePolicy', ready: false, count: 1 },
      ],
      exceptions: () => ({ Active: 1, ExpiresSoon: 0, Expired: 2, Invalid: 0 }),
      probe: () => probe,
    })
    const gauges = /leader|certificate|index|policies|exceptions|webhook/
    t.strictSame(await lines(registry, gauges), [
      'tagwarden_leader 0',
      `tagwarden_certificate_expiry_timestamp_seconds{certificate="ca"} ${NOW / 1000}`,
      'tagwarden_index_repositories 2',
      'tagwarden_index_tags 31',
      'tagwarden_policies{kind="ImagePolicy",ready="true"} 3',
      'tagwarden_policies{kind="ClusterImagePolicy",ready="false"} 1',
      'tagwarden_exceptions{state="Active"} 1',
      'tagwarden_exceptions{state="ExpiresSoon"} 0',
      'tagwarden_exceptions{state="Expired"} 2',
      'tagwarden_exceptions{state="Invalid"} 0',
    ])
    leading = true
    probe = { alive: false, at: NOW - 1_000 }
    certificates = []
    oldestScan = NOW - 90_000
    overdue = 1_500
    t.strictSame(await lines(registry, /leader|certificate|oldest|overdue|webhook/), [
      'tagwarden_leader 1',
      'tagwarden_index_oldest_scan_age_seconds 90',
      'tagwarden_index_overdue_seconds 1.5',
      'tagwarden_webhook_alive 0',
      `tagwarden_webhook_last_probe_timestamp_seconds ${NOW / 1000 - 1}`,
    ])
  },
)

t.test('without a cluster there is no leader, and no claim of one', async (t) => {
  const { registry } = started()
  t.strictSame(await lines(registry, /leader|webhook|exceptions|policies\{/), [])
})

t.test('the index is counted without what was never scanned', (t) => {
  const catalog = createCatalog()
  t.strictSame(indexFigures(catalog), { repositories: 0, tags: 0, oldestScan: undefined })
  catalog.recordTags('ghcr.io/acme/web', ['v1', 'v2'], NOW)
  catalog.recordTags('ghcr.io/acme/job', ['v1'], NOW - 60_000)
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const description = { mediaType, digest: `sha256:${'a'.repeat(64)}`, platforms: undefined }
  catalog.recordManifest('ghcr.io/acme/new', 'v1', description, NOW)
  t.strictSame(indexFigures(catalog), { repositories: 2, tags: 3, oldestScan: NOW - 60_000 })
  t.end()
})

t.test('the process is told of too, and looking at it does not keep it busy', async (t) => {
  const registry = createRegistry()
  const names = [
    'process_cpu_seconds_total',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_heap_size_used_bytes',
  ]
  for (const name of names) t.not((await lines(registry, new RegExp(name))).length, 0, name)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  // a single one may come sooner after one that was late
  const [median] = await lines(registry, /^nodejs_eventloop_lag_p50_seconds /)
  t.ok(Number(median?.split(' ')[1]) > 0.09, `it wakes up ten times a second: ${median}`)
})
