type Target = readonly [expression: string, legend: string]

interface Panel {
  readonly title: string
  readonly description: string
  readonly unit: string
  readonly targets: readonly Target[]
  /** one number rather than a graph */
  readonly single?: 'sum'
  /** of 24 columns */
  readonly width?: number
  readonly thresholds?: readonly (readonly [from: number | null, colour: string])[]
}

/** Which replicas: those of the variables at the top of the dashboard. */
const OF = 'namespace=~"$namespace", job=~"$job"'
const RATE = '[$__rate_interval]'
const GOOD_BAD = [
  [null, 'red'],
  [1, 'green'],
] as const

const ROWS: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'Now',
    [
      {
        title: 'Replicas',
        description: 'Replicas that answer Prometheus',
        unit: 'none',
        single: 'sum',
        width: 4,
        targets: [[`count(tagwarden_leader{${OF}})`, '']],
        thresholds: GOOD_BAD,
      },
      {
        title: 'Leader',
        description: 'Replicas that lead: one',
        unit: 'none',
        single: 'sum',
        width: 4,
        targets: [[`sum(tagwarden_leader{${OF}})`, '']],
        thresholds: [...GOOD_BAD, [2, 'red']],
      },
      {
        title: 'Webhook called',
        description: 'Whether the API server calls the webhook, as the leader proves by a probe',
        unit: 'bool_yes_no',
        single: 'sum',
        width: 4,
        targets: [[`max(tagwarden_webhook_alive{${OF}})`, '']],
        thresholds: GOOD_BAD,
      },
      {
        title: 'Policies not ready',
        description: 'Policies that can not be used as they are written',
        unit: 'none',
        single: 'sum',
        width: 4,
        targets: [
          [`sum(max by (kind) (tagwarden_policies{${OF}, ready="false"})) or vector(0)`, ''],
        ],
        thresholds: [
          [null, 'green'],
          [1, 'red'],
        ],
      },
      {
        title: 'Index late',
        description: 'How late a repository is to be read, beyond its interval',
        unit: 's',
        single: 'sum',
        width: 4,
        targets: [[`max(tagwarden_index_overdue_seconds{${OF}})`, '']],
        thresholds: [
          [null, 'green'],
          [1800, 'orange'],
          [3600, 'red'],
        ],
      },
      {
        title: 'Certificate',
        description: 'Time until the first certificate ends',
        unit: 's',
        single: 'sum',
        width: 4,
        targets: [[`min(tagwarden_certificate_expiry_timestamp_seconds{${OF}}) - time()`, '']],
        thresholds: [
          [null, 'red'],
          [604_800, 'orange'],
          [1_209_600, 'green'],
        ],
      },
    ],
  ],
  [
    'Reviews',
    [
      {
        title: 'Reviews by verdict',
        description: 'Both webhooks: the first resolves, the second denies',
        unit: 'reqps',
        targets: [
          [
            `sum by (hook, verdict) (rate(tagwarden_reviews_total{${OF}}${RATE}))`,
            '{{hook}} {{verdict}}',
          ],
        ],
      },
      {
        title: 'Time of a review',
        description: 'From the head of the request to the end of the answer',
        unit: 's',
        targets: ['0.5', '0.9', '0.99'].map(
          (quantile): Target => [
            `histogram_quantile(${quantile}, sum by (le) (rate(tagwarden_http_request_duration_seconds_bucket{${OF}}${RATE})))`,
            `${Number(quantile) * 100} %`,
          ],
        ),
      },
      {
        title: 'What was found, by reason',
        description: 'Findings of the validating webhook',
        unit: 'cps',
        targets: [
          [
            `sum by (reason, enforcement) (rate(tagwarden_findings_total{${OF}, hook="validate"}${RATE}))`,
            '{{reason}} {{enforcement}}',
          ],
        ],
      },
      {
        title: 'What was found, by policy',
        description: 'The ten policies with most findings',
        unit: 'cps',
        targets: [
          [
            `topk(10, sum by (policy) (rate(tagwarden_policy_findings_total{${OF}}${RATE})))`,
            '{{policy}}',
          ],
        ],
      },
      {
        title: 'Answers other than 200',
        description: 'By HTTP status; aborted: the API server did not wait',
        unit: 'reqps',
        targets: [
          [
            `sum by (path, status) (rate(tagwarden_http_requests_total{${OF}, status!="200"}${RATE}))`,
            '{{path}} {{status}}',
          ],
        ],
      },
      {
        title: 'Exceptions',
        description: 'ImagePolicyExceptions by state',
        unit: 'none',
        targets: [[`max by (state) (tagwarden_exceptions{${OF}})`, '{{state}}']],
      },
    ],
  ],
  [
    'Registries',
    [
      {
        title: 'Scans',
        description: 'Of repositories, by outcome',
        unit: 'cps',
        targets: [[`sum by (outcome) (rate(tagwarden_scans_total{${OF}}${RATE}))`, '{{outcome}}']],
      },
      {
        title: 'Time of a scan',
        description: '',
        unit: 's',
        targets: ['0.5', '0.99'].map(
          (quantile): Target => [
            `histogram_quantile(${quantile}, sum by (le) (rate(tagwarden_scan_duration_seconds_bucket{${OF}}${RATE})))`,
            `${Number(quantile) * 100} %`,
          ],
        ),
      },
      {
        title: 'Waiting for a registry',
        description:
          'Time that requests waited for their turn, as few at once go to one registry, 99 %',
        unit: 's',
        targets: [
          [
            `histogram_quantile(0.99, sum by (le) (rate(tagwarden_registry_wait_seconds_bucket{${OF}}${RATE})))`,
            '99 %',
          ],
        ],
      },
      {
        title: 'Repositories in the index',
        description: '',
        unit: 'none',
        targets: [[`max(tagwarden_index_repositories{${OF}})`, 'repositories']],
      },
      {
        title: 'Tags in the index',
        description: '',
        unit: 'short',
        targets: [[`max(tagwarden_index_tags{${OF}})`, 'tags']],
      },
    ],
  ],
  [
    'Running',
    [
      {
        title: 'Promotions',
        description: 'Workloads that were to be moved, by outcome',
        unit: 'cps',
        targets: [
          [`sum by (outcome) (rate(tagwarden_promotions_total{${OF}}${RATE}))`, '{{outcome}}'],
        ],
      },
      {
        title: 'Memory',
        description: 'Resident memory of each replica',
        unit: 'bytes',
        targets: [[`process_resident_memory_bytes{${OF}}`, '{{pod}}']],
      },
      {
        title: 'CPU',
        description: 'Cores that each replica uses',
        unit: 'none',
        targets: [[`rate(process_cpu_seconds_total{${OF}}${RATE})`, '{{pod}}']],
      },
      {
        title: 'Event loop lag',
        description:
          'How late each replica gets to its work, 99 %; 0.1 s is none, as it looks every 100 ms',
        unit: 's',
        targets: [[`nodejs_eventloop_lag_p99_seconds{${OF}}`, '{{pod}}']],
      },
      {
        title: 'Events that were dropped',
        description: 'Kubernetes events beyond the limit',
        unit: 'cps',
        targets: [[`sum(rate(tagwarden_events_dropped_total{${OF}}${RATE}))`, 'dropped']],
      },
      {
        title: 'Time since the last probe',
        description: 'Since the API server was last asked to call the webhook',
        unit: 's',
        targets: [
          [
            `time() - max by (pod) (tagwarden_webhook_last_probe_timestamp_seconds{${OF}})`,
            '{{pod}}',
          ],
        ],
      },
    ],
  ],
]

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }

/** files/dashboard.json, as Grafana imports it. */
export function dashboard(): string {
  const panels: object[] = []
  let y = 0
  for (const [title, all] of ROWS) {
    const place = { id: panels.length + 1, gridPos: { x: 0, y, w: 24, h: 1 } }
    panels.push({ type: 'row', title, collapsed: false, panels: [], ...place })
    y += 1
    let x = 0
    let height = 0
    for (const panel of all) {
      const { width = 12, single } = panel
      const h = single === undefined ? 8 : 4
      if (x + width > 24) {
        x = 0
        y += height
      }
      panels.push({ id: panels.length + 1, ...drawn(panel), gridPos: { x, y, w: width, h } })
      x += width
      height = h
    }
    y += height
  }
  const model = {
    title: 'Tagwarden',
    uid: 'tagwarden',
    tags: ['kubernetes', 'tagwarden'],
    editable: true,
    graphTooltip: 1,
    refresh: '1m',
    schemaVersion: 39,
    time: { from: 'now-6h', to: 'now' },
    templating: { list: VARIABLES },
    panels,
  }
  return `${JSON.stringify(model, null, 2)}\n`
}

const VARIABLES = [
  { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', refresh: 1 },
  variable('namespace', 'Namespace', 'label_values(tagwarden_leader, namespace)'),
  variable('job', 'Job', 'label_values(tagwarden_leader{namespace=~"$namespace"}, job)'),
]

function variable(name: string, label: string, query: string): object {
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    refresh: 2,
    includeAll: true,
    multi: true,
    current: { text: 'All', value: '$__all' },
  }
}

function drawn({ title, description, unit, single, targets, thresholds }: Panel): object {
  const steps = (thresholds ?? [[null, 'green']]).map(([value, color]) => ({ value, color }))
  return {
    type: single === undefined ? 'timeseries' : 'stat',
    title,
    description,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: { unit, min: 0, thresholds: { mode: 'absolute', steps } },
      overrides: [],
    },
    options:
      single === undefined
        ? { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } }
        : { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'none' },
    targets: targets.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat,
    })),
  }
}
